//! Limits for token requests whose forms are still to come: their bytes in all, for each client,
//! and how long they take.
//!
//! Their clients are not authenticated yet, so everything that is held for them is bounded. A
//! client is its address, since nothing else is known of it; where the host knows no address, all
//! those requests count as one client's.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::request::form::FormError;
use crate::time::UnixTime;

use super::host::StreamId;

/// The token requests of one plugin whose forms are still to come.
#[derive(Default)]
pub(super) struct HeldForms(Vec<Holding>);

/// Whose share something counts against.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Client {
    /// An address, of IPv6 the network: one client has all of its addresses.
    At(IpAddr),
    /// Nobody knows.
    Unknown,
}

/// What a held request is called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Ticket {
    /// By the host, which may use the number again.
    pub(super) stream: StreamId,
    /// By the gateway: no other request has it.
    pub(super) number: u64,
}

struct Holding {
    ticket: Ticket,
    client: Client,
    head_bytes: usize,
    body_bytes: usize,
    deadline: UnixTime,
}

impl Client {
    /// The client at an address as the host reports it, without a port.
    pub(super) fn of(address: Option<&str>) -> Self {
        let address = address.and_then(|text| text.parse().ok());
        match address.map(|address: IpAddr| address.to_canonical()) {
            Some(IpAddr::V6(address)) => Self::At(network(address).into()),
            Some(address) => Self::At(address),
            None => Self::Unknown,
        }
    }
}

impl HeldForms {
    /// Takes in a request whose head has so many bytes, if there is room.
    pub(super) fn enter(
        &mut self,
        ticket: Ticket,
        client: Client,
        head_bytes: usize,
        now: UnixTime,
    ) -> Result<(), FormError> {
        let holding = Holding {
            ticket,
            client,
            head_bytes,
            body_bytes: 0,
            deadline: now.after(FORM_TIME),
        };
        self.admit(client, holding.bytes())?;
        self.0.push(holding);
        Ok(())
    }

    /// Notes how much of a form has come, if there is room for it.
    pub(super) fn grow(&mut self, number: u64, body_bytes: usize) -> Result<(), FormError> {
        let Some(place) = self.place(number) else {
            return Ok(());
        };
        let mut holding = self.0.swap_remove(place);
        holding.body_bytes = holding.body_bytes.max(body_bytes);
        let admitted = self.admit(holding.client, holding.bytes());
        self.0.push(holding);
        admitted
    }

    /// Lets a request go.
    pub(super) fn leave(&mut self, number: u64) {
        if let Some(place) = self.place(number) {
            self.0.swap_remove(place);
        }
    }

    /// Every request.
    pub(super) fn all(&self) -> impl Iterator<Item = Ticket> {
        self.0.iter().map(|held| held.ticket)
    }

    /// The requests whose time is over.
    pub(super) fn late(&self, now: UnixTime) -> Vec<Ticket> {
        // A deadline that a clock set back has moved away counts as passed, so that nothing is held
        // until the clock catches up.
        let is_over = |deadline: UnixTime| {
            now >= deadline || deadline.since(now) > FORM_TIME.saturating_mul(2)
        };
        let late = self.0.iter().filter(|held| is_over(held.deadline));
        late.map(|held| held.ticket).collect()
    }

    fn admit(&self, client: Client, bytes: usize) -> Result<(), FormError> {
        let sum = |sum: usize, held: &Holding| sum.saturating_add(held.bytes());
        let all = self.0.iter().fold(bytes, sum);
        let own = self.0.iter().filter(|held| held.client == client);
        if all > MAX_BYTES || own.fold(bytes, sum) > MAX_CLIENT_BYTES {
            return Err(FormError::NoRoom);
        }
        Ok(())
    }

    fn place(&self, number: u64) -> Option<usize> {
        self.0.iter().position(|held| held.ticket.number == number)
    }
}

impl Holding {
    const fn bytes(&self) -> usize {
        // The head is held twice, by the host and here.
        self.head_bytes
            .saturating_mul(2)
            .saturating_add(self.body_bytes)
            .saturating_add(REQUEST_BYTES)
    }
}

/// The /64 that an address is in, which is what providers give to one customer (RFC 6177 §2).
fn network(address: Ipv6Addr) -> Ipv6Addr {
    let [a, b, c, d, ..] = address.segments();
    Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)
}

/// How long a whole form may take, from its head. Clients send both together; one with 128 KiB over
/// a bad line needs no longer.
const FORM_TIME: Duration = Duration::from_secs(15);

/// What all of them may hold on each worker.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What one client may hold: about a hundred sign-ins at the same moment, which an office behind
/// one address does not reach, and a sixteenth of the whole, so that it takes many addresses to
/// shut others out.
const MAX_CLIENT_BYTES: usize = MAX_BYTES / 16;

/// What a held request takes besides its bytes: the host's stream with its filters, and the entries
/// here.
const REQUEST_BYTES: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::from_seconds(seconds).unwrap()
    }

    fn ticket(number: u64) -> Ticket {
        Ticket {
            stream: StreamId(7),
            number,
        }
    }

    #[test]
    fn a_client_is_its_address_or_its_network() {
        #[rustfmt::skip]
        let cases = [
            // one                      another                     the same
            (Some("192.0.2.1"),         Some("192.0.2.1"),          true),
            (Some("192.0.2.1"),         Some("192.0.2.2"),          false),
            (Some("::ffff:192.0.2.1"),  Some("192.0.2.1"),          true),
            (Some("2001:db8:0:1::1"),   Some("2001:db8:0:1:ffff::"), true),
            (Some("2001:db8:0:1::1"),   Some("2001:db8:0:2::1"),    false),
            (Some("@pipe"),             None,                       true),
            (Some("192.0.2.1"),         None,                       false),
        ];
        for (one, another, want) in cases {
            let same = Client::of(one) == Client::of(another);
            assert_eq!(same, want, "{one:?} and {another:?}");
        }
    }

    #[test]
    fn one_client_leaves_room_for_the_others() {
        let mut room = HeldForms::default();
        let client = |last: u8| Client::At(IpAddr::from([192, 0, 2, last]));
        let mut enter = |client, first: u64| {
            let entered = (first..first + 10_000)
                .take_while(|number| room.enter(ticket(*number), client, 1024, at(NOW)).is_ok());
            entered.count()
        };
        let each = REQUEST_BYTES + 2048;
        let most = MAX_CLIENT_BYTES / each;
        let left = (MAX_BYTES - 16 * most * each) / each;
        for last in 0..16 {
            assert_eq!(
                enter(client(last), u64::from(last) * 10_000),
                most,
                "{last}"
            );
        }
        assert_eq!(enter(Client::Unknown, 900_000), left, "what is left");
        assert_eq!(enter(client(99), 800_000), 0, "none is left");
        for number in 0..10 {
            room.leave(number);
            room.leave(number);
        }
        let returned =
            (0..).take_while(|n| room.enter(ticket(*n), client(0), 1024, at(NOW)).is_ok());
        assert_eq!(returned.count(), 10);
    }

    #[test]
    fn a_form_takes_room_as_it_comes() {
        let mut room = HeldForms::default();
        let share = MAX_CLIENT_BYTES - REQUEST_BYTES - 20;
        #[rustfmt::skip]
        let cases = [
            // number  came       want
            (1,        1,         Ok(())),
            (1,        share,     Ok(())),
            (1,        share + 1, Err(FormError::NoRoom)),
            (2,        usize::MAX, Ok(())),
        ];
        assert_eq!(room.enter(ticket(1), Client::Unknown, 10, at(NOW)), Ok(()));
        for (number, came, want) in cases {
            assert_eq!(room.grow(number, came), want, "{number}: {came}");
        }
        let no_room = Err(FormError::NoRoom);
        assert_eq!(room.enter(ticket(3), Client::Unknown, 10, at(NOW)), no_room);
        room.leave(1);
        assert_eq!(room.enter(ticket(3), Client::Unknown, 10, at(NOW)), Ok(()));
    }

    #[test]
    fn a_form_has_its_time_whatever_the_clock_does() {
        let mut room = HeldForms::default();
        room.enter(ticket(1), Client::Unknown, 10, at(NOW)).unwrap();
        #[rustfmt::skip]
        let cases = [
            // name             now                  late
            ("at once",         NOW,                 false),
            ("just in time",    NOW + 14,            false),
            ("late",            NOW + 15,            true),
            ("a second back",   NOW - 1,             false),
            ("an hour back",    NOW - 3600,          true),
            ("years back",      1,                   true),
            ("years ahead",     NOW + 100_000_000,   true),
        ];
        for (name, now, want) in cases {
            let late = if want { vec![ticket(1)] } else { vec![] };
            assert_eq!(room.late(at(now)), late, "{name}");
        }
    }
}
