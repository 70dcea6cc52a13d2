//! The built module and a clock that somebody sets, or that is not there.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::{Value, json};
use wasm_tests::host::{Callout, CalloutAnswer, Headers, Host, Verdict};
use wasm_tests::keys::jwk_set;
use wasm_tests::paths;
use wasm_tests::scene::{fetched, token_with};

/// What the servers say at the moment; nothing, where they are down.
#[derive(Default)]
struct Servers {
    keys: Option<Vec<u8>>,
    list: Option<Vec<u8>>,
}

/// No status yet.
const WAITS: u16 = 0;

/// A worker that ticks each second.
struct World {
    host: Host,
    servers: Rc<RefCell<Servers>>,
    millis: u64,
}

impl World {
    fn start() -> Self {
        let mut configuration = fetched(&json!({ "refresh": "1s", "max_stale": "5s" }));
        configuration["issuers"][0]["clock_skew"] = json!("0s");
        configuration["withdrawn"] = json!({ "list": {
            "cluster": "security", "uri": "https://security.example.com/withdrawn.json",
            "poll": "1s", "max_stale": "5s", "when_stale": "refuse",
        } });
        let servers = Rc::new(RefCell::new(Servers::default()));
        let asked = Rc::clone(&servers);
        let answers = move |callout: &Callout| {
            let servers = asked.borrow();
            let body = match &*callout.cluster {
                "security" => &servers.list,
                _ => &servers.keys,
            };
            body.clone()
                .map_or(CalloutAnswer::Failed, |body| CalloutAnswer::Answer {
                    status: 200,
                    headers: vec![("cache-control".to_owned(), b"max-age=1".to_vec())],
                    body,
                })
        };
        let host = Host::start(
            &configuration.to_string(),
            &["issuer", "security"],
            Box::new(answers),
        );
        assert!(host.configured());
        let millis = u64::try_from(paths::now()).expect("a clock after 1970") * 1000;
        let mut world = Self {
            host,
            servers,
            millis,
        };
        world.publish(&["acme-rsa", "partner-rsa"], &json!({}));
        world.live(3);
        world
    }

    fn publish(&self, keys: &[&str], list: &Value) {
        let mut servers = self.servers.borrow_mut();
        servers.keys = Some(jwk_set(keys.iter().copied()).to_string().into_bytes());
        servers.list = Some(list.to_string().into_bytes());
    }

    fn set(&mut self, step: i64) {
        self.millis = self.millis.checked_add_signed(step).expect("a time");
        self.host.set_clock(self.millis);
    }

    fn live(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.set(1000);
            self.host.tick();
        }
    }

    /// The status for a token of this key and subject.
    fn status(&mut self, key: &str, subject: &str) -> u16 {
        // In its time whatever the clock says.
        let times = json!({ "sub": subject, "iat": null, "exp": 253_402_300_000_u64 });
        let pairs = [
            (":method", "GET".to_owned()),
            (":path", "/api/2.2/jobs/get".to_owned()),
            (":authority", "databricks.example.com".to_owned()),
            (
                "authorization",
                format!("Bearer {}", token_with(key, &times)),
            ),
        ];
        let headers: Headers = pairs
            .map(|(name, value)| (name.to_owned(), value.into_bytes()))
            .into();
        match self.host.request(&headers, b"") {
            Verdict::Forward(_) => 200,
            Verdict::Reply(reply) => reply.status,
            Verdict::Waiting => WAITS,
        }
    }
}

#[test]
fn however_the_clock_is_set_what_is_withdrawn_ends_and_what_is_good_goes_on() {
    const HOUR: i64 = 3_600_000;
    const YEARS: i64 = 5 * 365 * 24 * HOUR;
    for step in [4000, 60_000, HOUR, YEARS, -4000, -60_000, -HOUR, -YEARS] {
        for is_set_right_again in [false, true] {
            let name = format!("{step} ms, {is_set_right_again}");
            let mut world = World::start();
            assert_eq!(world.status("partner-rsa", "mallory"), 200, "{name}");
            world.set(step);
            assert_eq!(
                world.status("acme-rsa", "ada"),
                200,
                "{name}: one look refuses nothing"
            );
            if is_set_right_again {
                world.live(1);
                world.set(-step);
            }
            world.publish(&["acme-rsa"], &json!({ "subjects": ["mallory"] }));
            world.live(2);
            assert_eq!(
                world.status("acme-rsa", "mallory"),
                401,
                "{name}: withdrawn"
            );
            assert_eq!(
                world.status("partner-rsa", "ada"),
                401,
                "{name}: its key is gone"
            );
            assert_eq!(world.status("acme-rsa", "ada"), 200, "{name}: goes on");
            *world.servers.borrow_mut() = Servers::default();
            world.set(step);
            world.live(2);
            assert_eq!(
                world.status("acme-rsa", "ada"),
                200,
                "{name}: not too old yet"
            );
            world.live(6);
            let status = world.status("acme-rsa", "ada");
            // One that waits for keys is still there: this host's clock stands still meanwhile.
            assert!(
                matches!(status, 503 | WAITS),
                "{name}: too old, and {status}"
            );
            world.publish(&["acme-rsa"], &json!({}));
            world.set(-step);
            world.live(20);
            assert_eq!(
                world.status("acme-rsa", "ada"),
                200,
                "{name}: nothing is blocked"
            );
        }
    }
}

#[test]
fn without_a_clock_the_answer_is_503_and_the_record_has_no_time() {
    let mut world = World::start();
    assert_eq!(world.status("acme-rsa", "ada"), 200);
    world.host.stop_clock(true);
    world.host.take_log();
    assert_eq!(world.status("acme-rsa", "ada"), 503);
    world.host.tick();
    let records: Vec<Value> = world
        .host
        .take_log()
        .iter()
        .filter_map(|(_, line)| serde_json::from_str(line).ok())
        .collect();
    let [record] = &records[..] else {
        panic!("{records:?}");
    };
    let facts = ["time", "decision", "reason", "mode"].map(|name| record[name].clone());
    assert_eq!(
        facts,
        [
            json!(null),
            json!("deny"),
            json!("clock_unavailable"),
            json!("enforce")
        ]
    );
    world.host.stop_clock(false);
    assert_eq!(world.status("acme-rsa", "ada"), 200);
}
