//! The client: keep-alive HTTP/1.1 connections, requests made in advance.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// One connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
}

impl Connection {
    /// Connects.
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            buffer: vec![0; 16 * 1024],
            filled: 0,
        })
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.stream.write_all(request)
    }

    /// Reads one whole answer; its status.
    pub(crate) fn status(&mut self) -> io::Result<u16> {
        loop {
            if let Some((status, length)) = parse(&self.buffer[..self.filled])? {
                self.buffer.copy_within(length..self.filled, 0);
                self.filled -= length;
                return Ok(status);
            }
            let count = self.stream.read(&mut self.buffer[self.filled..])?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.filled += count;
        }
    }
}

/// The status of the answer that begins here, and how long the answer is; `None` where some of it
/// is missing.
fn parse(bytes: &[u8]) -> io::Result<Option<(u16, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut answer = httparse::Response::new(&mut headers);
    let head = match answer.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
    };
    let body = answer
        .headers
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok())
        .unwrap_or(0);
    let whole = head + body;
    Ok((bytes.len() >= whole).then_some((answer.code.unwrap_or_default(), whole)))
}

/// What came of a load.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Answers {
    /// How many.
    pub(crate) count: usize,
    /// How many of them had another status than they should.
    pub(crate) wrong: usize,
    /// One such status.
    pub(crate) other: u16,
}

impl Answers {
    fn note(&mut self, status: u16, want: u16) {
        self.count += 1;
        if status != want {
            self.wrong += 1;
            self.other = status;
        }
    }
}

/// Requests as fast as they are answered, each connection having one on its way, so that the worker
/// never waits for the client. Ends with the requests, or with the time.
pub(crate) fn saturate<'a>(
    connections: &mut [Connection],
    mut requests: impl Iterator<Item = &'a [u8]>,
    time: Duration,
    want: u16,
) -> io::Result<Answers> {
    let mut answers = Answers::default();
    let mut waiting = vec![false; connections.len()];
    for (connection, waits) in connections.iter_mut().zip(&mut waiting) {
        if let Some(request) = requests.next() {
            connection.send(request)?;
            *waits = true;
        }
    }
    let start = Instant::now();
    let mut over = false;
    while waiting.contains(&true) {
        over |= start.elapsed() >= time;
        for (connection, waits) in connections.iter_mut().zip(&mut waiting) {
            if !*waits {
                continue;
            }
            answers.note(connection.status()?, want);
            let next = if over { None } else { requests.next() };
            match next {
                Some(request) => connection.send(request)?,
                None => *waits = false,
            }
        }
    }
    Ok(answers)
}

/// Requests at a fixed rate over several connections: how long each answer took, sorted.
pub(crate) fn paced(
    address: SocketAddr,
    requests: &[Vec<u8>],
    rate: u32,
    time: Duration,
) -> io::Result<Vec<Duration>> {
    let interval = Duration::from_secs(1) * PACED_CONNECTIONS / rate;
    let start = Instant::now() + Duration::from_millis(20);
    let took: io::Result<Vec<Vec<Duration>>> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..PACED_CONNECTIONS)
            .map(|number| {
                let first = start + interval * number / PACED_CONNECTIONS;
                scope.spawn(move || one_paced(address, requests, first, interval, start + time))
            })
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().expect("a client"))
            .collect()
    });
    let mut took = took?.concat();
    took.sort_unstable();
    Ok(took)
}

fn one_paced(
    address: SocketAddr,
    requests: &[Vec<u8>],
    first: Instant,
    interval: Duration,
    end: Instant,
) -> io::Result<Vec<Duration>> {
    let mut connection = Connection::open(address)?;
    let mut took = Vec::new();
    let mut due = first;
    for request in requests.iter().cycle() {
        if due >= end {
            break;
        }
        // A client that is late because the last answer was late counts from when the request was
        // due; one that the system woke late does not.
        let late = Instant::now() >= due;
        if !late {
            std::thread::sleep(due - Instant::now());
        }
        let sent = if late { due } else { Instant::now() };
        connection.send(request)?;
        connection.status()?;
        took.push(sent.elapsed());
        due += interval;
    }
    Ok(took)
}

/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Clients of the fixed rate.
const PACED_CONNECTIONS: u32 = 8;
