//! A client that speaks HTTP/1.1 over TLS and keeps its connection.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// What is needed of an answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Whether it is the last one of its connection.
    pub(crate) closes: bool,
    /// Its headers, with names in small letters.
    pub(crate) headers: Vec<(String, String)>,
    /// Its body, where its length was told.
    pub(crate) body: String,
}

impl Answer {
    /// The values of a header, in order.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let of_name = self.headers.iter().filter(move |(other, _)| other == name);
        of_name.map(|(_, value)| value.as_str())
    }
}

/// One connection.
pub(crate) struct Client {
    stream: StreamOwned<ClientConnection, TcpStream>,
}

impl Client {
    /// Connects, and trusts this authority for this name.
    pub(crate) fn connect(
        address: SocketAddr,
        authority: &CertificateDer<'static>,
        name: &'static str,
    ) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone()).expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = name.try_into().expect("a host name");
        let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
        let stream = TcpStream::connect(address).expect("Envoy listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut stream = StreamOwned::new(connection, stream);
        stream.flush().expect("a handshake");
        Self { stream }
    }

    /// Nothing, where the connection ended before the answer.
    pub(crate) fn get(&mut self, path: &str, token: Option<&str>) -> Option<Answer> {
        let authorization = token.map(|token| ("authorization", format!("Bearer {token}")));
        self.get_with(path, authorization.as_slice())
    }

    /// The same, with these headers.
    pub(crate) fn get_with(&mut self, path: &str, headers: &[(&str, String)]) -> Option<Answer> {
        let lines = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"));
        let headers: String = lines.collect();
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: databricks.example.com\r\n{headers}\r\n");
        self.stream.write_all(request.as_bytes()).ok()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).ok()?;
            head.extend(byte);
        }
        let head = String::from_utf8(head).ok()?;
        let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let headers = head.lines().filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        let mut answer = Answer {
            status,
            closes: false,
            headers: headers.collect(),
            body: String::new(),
        };
        let closes = answer.values("connection").any(|value| value == "close");
        answer.closes = closes;
        let length = answer.values("content-length").next();
        if let Some(length) = length.and_then(|length| length.parse().ok()) {
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).ok()?;
            answer.body = String::from_utf8(body).ok()?;
        }
        Some(answer)
    }

    /// Whether the other side has not closed it yet; waits a moment for that.
    pub(crate) fn is_open(&mut self) -> bool {
        let moment = Some(Duration::from_millis(100));
        self.stream
            .sock
            .set_read_timeout(moment)
            .expect("a timeout");
        let kind = match self.stream.read(&mut [0]) {
            Ok(count) => return count > 0,
            Err(error) => error.kind(),
        };
        kind == std::io::ErrorKind::WouldBlock
    }

    /// What the gateway showed.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        let shown = self.stream.conn.peer_certificates().expect("a certificate");
        shown.first().expect("a certificate").to_vec()
    }
}

/// However slow the machine.
const PATIENCE: Duration = Duration::from_secs(30);
