//! Two clients that send what no decent client sends: raw bytes over HTTP/1.1, and HTTP/2 with
//! trailers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;

/// A whole answer.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Answer {
    /// The status; 0 when the connection ended without an answer.
    pub status: u16,
    /// Headers in order, names in lower case; the trailers follow.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of this name, as text.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    }

    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A connection that takes any bytes.
pub struct Connection {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl Connection {
    /// Connects, and reads no longer than `PATIENCE` at a time.
    pub fn open(address: SocketAddr) -> Self {
        Self::try_open(address).expect("Envoy listens")
    }

    /// The same, where nobody may be listening.
    pub fn try_open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            rest: Vec::new(),
        })
    }

    /// Sends bytes. An error is kept silent: the far side may have answered and closed already.
    pub fn send(&mut self, bytes: &[u8]) {
        if self.stream.write_all(bytes).is_ok() {
            drop(self.stream.flush());
        }
    }

    /// Whether something can be read within this time.
    pub fn answers_within(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).expect("a timeout");
        let answered = self.fill();
        self.stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a timeout");
        answered
    }

    /// Reads one answer; `head` says that it has no body whatever its headers say.
    pub fn answer(&mut self, head: bool) -> Answer {
        loop {
            let Some(end) = find(&self.rest, b"\r\n\r\n") else {
                if self.fill() {
                    continue;
                }
                return Answer::default();
            };
            let text: Vec<u8> = self.rest.drain(..end + 4).collect();
            let mut answer = parse_head(&text);
            // An interim answer, such as 100 (Continue).
            if (100..200).contains(&answer.status) {
                continue;
            }
            if !head && answer.status != 204 && answer.status != 304 {
                answer.body = self.body(&answer);
            }
            return answer;
        }
    }

    fn body(&mut self, answer: &Answer) -> Vec<u8> {
        if answer
            .header("transfer-encoding")
            .is_some_and(|coding| coding.contains("chunked"))
        {
            return self.chunks();
        }
        let length = answer
            .header("content-length")
            .and_then(|length| length.parse().ok());
        self.take(length.unwrap_or(usize::MAX))
    }

    fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let Some(end) = find(&self.rest, b"\r\n") else {
                assert!(self.fill(), "a chunked answer ended before its last chunk");
                continue;
            };
            let line = self.take(end + 2);
            let size = std::str::from_utf8(&line)
                .ok()
                .and_then(|line| usize::from_str_radix(line.trim(), 16).ok());
            let size = size.expect("a chunk size");
            let chunk = self.take(size + 2);
            if size == 0 {
                return body;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        while self.rest.len() < length && self.fill() {}
        let length = length.min(self.rest.len());
        self.rest.drain(..length).collect()
    }

    fn fill(&mut self) -> bool {
        let mut buffer = [0; 16 * 1024];
        match self.stream.read(&mut buffer) {
            Ok(count) => {
                self.rest.extend_from_slice(&buffer[..count]);
                count > 0
            }
            Err(_) => false,
        }
    }
}

/// The bytes of an HTTP/1.1 request. The headers stand as given, none is added but `host` where it
/// is missing, and a length for a body.
pub fn request(method: &str, target: &[u8], headers: &[(&str, &[u8])], body: &[u8]) -> Vec<u8> {
    let mut bytes = [method.as_bytes(), b" ", target, b" HTTP/1.1\r\n"].concat();
    let has = |wanted: &str| {
        headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    if !has("host") {
        bytes.extend_from_slice(b"host: databricks.example.com\r\n");
    }
    for (name, value) in headers {
        bytes.extend_from_slice(&[name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    if !body.is_empty() && !has("transfer-encoding") && !has("content-length") {
        bytes.extend_from_slice(format!("content-length: {}\r\n", body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// One request over a connection of its own.
pub fn exchange(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &[u8])],
    body: &[u8],
) -> Answer {
    let mut connection = Connection::open(address);
    connection.send(&request(method, target.as_bytes(), headers, body));
    connection.answer(method == "HEAD")
}

/// A `GET` with these headers.
pub fn get(address: SocketAddr, target: &str, headers: &[(&str, &[u8])]) -> Answer {
    exchange(address, "GET", target, headers, b"")
}

/// A `GET` of a server that may be gone; status 0 where it is.
pub fn try_get(address: SocketAddr, target: &str) -> Answer {
    let Ok(mut connection) = Connection::try_open(address) else {
        return Answer::default();
    };
    connection.send(&request("GET", target.as_bytes(), &[], b""));
    connection.answer(false)
}

/// One HTTP/2 request without TLS; the answer's trailers follow its headers.
pub fn http2(address: SocketAddr, head: http::Request<()>, body: Vec<u8>) -> Answer {
    let pieces = if body.is_empty() {
        Vec::new()
    } else {
        vec![body]
    };
    http2_in_pieces(address, head, pieces, None)
}

/// The same with the body in pieces, a frame for each, and then trailers where there are any.
pub fn http2_in_pieces(
    address: SocketAddr,
    head: http::Request<()>,
    pieces: Vec<Vec<u8>>,
    trailers: Option<http::HeaderMap>,
) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let talk = async {
            let stream = tokio::net::TcpStream::connect(address)
                .await
                .expect("Envoy listens");
            let (sender, connection) = h2::client::handshake(stream).await.expect("HTTP/2");
            tokio::spawn(connection);
            let mut sender = sender.ready().await.expect("HTTP/2");
            let is_whole = pieces.is_empty() && trailers.is_none();
            let (response, mut upload) = sender.send_request(head, is_whole).expect("a request");
            let count = pieces.len();
            for (position, piece) in pieces.into_iter().enumerate() {
                let is_last = position + 1 == count && trailers.is_none();
                // An error is kept silent: the far side may have answered already.
                drop(upload.send_data(Bytes::from(piece), is_last));
                tokio::task::yield_now().await;
            }
            if let Some(trailers) = trailers {
                drop(upload.send_trailers(trailers));
            }
            read_http2(response.await.expect("an answer")).await
        };
        tokio::time::timeout(PATIENCE, talk)
            .await
            .expect("an answer in time")
    })
}

async fn read_http2(response: http::Response<h2::RecvStream>) -> Answer {
    let (head, mut stream) = response.into_parts();
    let mut answer = Answer {
        status: head.status.as_u16(),
        headers: pairs(&head.headers),
        body: Vec::new(),
    };
    while let Some(chunk) = stream.data().await {
        let Ok(chunk) = chunk else { break };
        answer.body.extend_from_slice(&chunk);
        drop(stream.flow_control().release_capacity(chunk.len()));
    }
    if let Ok(Some(trailers)) = stream.trailers().await {
        answer.headers.extend(pairs(&trailers));
    }
    answer
}

fn pairs(headers: &http::HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect()
}

fn parse_head(text: &[u8]) -> Answer {
    let mut lines = text
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty());
    let status = lines
        .next()
        .and_then(|line| line.split(|byte| *byte == b' ').nth(1).map(<[u8]>::to_vec));
    let status = status
        .and_then(|digits| String::from_utf8(digits).ok()?.parse().ok())
        .unwrap_or_default();
    let headers = lines
        .filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            Some((name, line[colon + 1..].trim_ascii().to_vec()))
        })
        .collect();
    Answer {
        status,
        headers,
        body: Vec::new(),
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

/// Longer than any time the gateway may take to answer.
const PATIENCE: Duration = Duration::from_secs(15);
