//! A connection to each worker of one Envoy, for what has to hold on all of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::client::{self, Answer, Connection};

/// Opens connections until each worker has one. A worker is known by the first half of its
/// decisions' IDs.
pub fn connections(address: SocketAddr, token: &str, workers: usize) -> Vec<Connection> {
    let mut found = BTreeMap::new();
    for _ in 0..2000 {
        let mut connection = Connection::open(address);
        // The body of a refusal has the ID.
        let answer = ask(&mut connection, token, "/api/2.0/no-such-operation");
        let id = answer.json()["details"][0]["metadata"]["decision_id"].clone();
        let worker = id.as_str().and_then(|id| id.get(..16)).map(str::to_owned);
        found.entry(worker.expect("an ID")).or_insert(connection);
        if found.len() == workers {
            return found.into_values().collect();
        }
    }
    panic!("{} of {workers} workers answered", found.len());
}

/// `GET` of a path with this token, over this connection.
pub fn ask(connection: &mut Connection, token: &str, path: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_bytes())];
    connection.send(&client::request("GET", path.as_bytes(), &headers, b""));
    connection.answer(false)
}
