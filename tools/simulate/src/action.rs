//! What happens to the process from outside. A run is a list of actions, so that a run which
//! violates an invariant can be shrunk by leaving actions out.

use fastrand::Rng;

/// Something from outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    /// Another configuration for one worker.
    Configure(Worker, Variant),
    /// A worker's VM traps: it starts anew, and what it held is gone.
    Die(Worker),
    /// The clock of the machine is set, by so many milliseconds.
    Jump(i64),
    /// The client of one of the requests that are held goes away.
    Leave(usize),
    /// A server changes its mood.
    Mood(Server, Mood),
    /// Nothing, for so many milliseconds.
    Pass(u64),
    /// More of a form comes: the rest, or a part of it.
    Body { pick: usize, is_whole: bool },
    /// The token of a client is put on the list of revoked tokens.
    Revoke(usize),
    /// An issuer signs by its next key, and publishes that beside the one before, or alone.
    Rotate { issuer: usize, keeps: bool },
    /// A request.
    Send {
        worker: Worker,
        token: Token,
        call: Call,
    },
}

/// One of the workers, by number.
pub(crate) type Worker = usize;

/// What a client shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Token {
    /// A token that was shown before, by number.
    Again(usize),
    /// A new and valid one of an issuer's.
    Fresh(usize),
    /// One that has expired.
    Expired(usize),
    /// One that another key signed under the issuer's key ID.
    Forged(usize),
    /// One without the scope that the call needs.
    Narrow(usize),
    /// None.
    Nothing,
}

/// What a client calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    /// An operation that needs a scope.
    Operation,
    /// A token endpoint, with a form that shows the token.
    TokenEndpoint,
}

/// A configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Variant {
    /// Both issuers, a list of revoked tokens.
    Plain,
    /// The same, with exchange.
    Exchange,
    /// The first issuer alone, and no list.
    OneIssuer,
    /// A rule denies the operation.
    Denying,
    /// One that is refused.
    Refused,
}

/// A server that the gateway asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Server {
    /// An issuer's, by number.
    Issuer(usize),
    /// The list of revoked tokens.
    List,
    /// Databricks' token endpoint.
    TokenEndpoint,
}

/// How a server is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mood {
    /// It takes connections and never answers.
    Dead,
    /// It answers something else than it was asked for.
    Garbled,
    /// The gateway's cluster for it is empty.
    NoHost,
    /// It answers with this status.
    Status(u16),
    /// It answers twice.
    Twice,
    /// It answers, in so many milliseconds.
    Up(u64),
}

pub(crate) const WORKERS: usize = 3;
pub(crate) const ISSUERS: usize = 2;

/// The actions of a run.
pub(crate) fn list(rng: &mut Rng, count: usize) -> Vec<Action> {
    (0..count).map(|_| any(rng)).collect()
}

fn any(rng: &mut Rng) -> Action {
    let worker = rng.usize(..WORKERS);
    match rng.u32(..1000) {
        0..460 => Action::Send {
            worker,
            token: token(rng),
            call: if rng.u32(..8) == 0 {
                Call::TokenEndpoint
            } else {
                Call::Operation
            },
        },
        460..560 => Action::Body {
            pick: rng.usize(..),
            is_whole: rng.u32(..4) != 0,
        },
        560..600 => Action::Leave(rng.usize(..)),
        600..620 => Action::Revoke(rng.usize(..)),
        620..640 => Action::Rotate {
            issuer: rng.usize(..ISSUERS),
            keeps: rng.bool(),
        },
        640..720 => Action::Mood(server(rng), mood(rng)),
        720..723 => Action::Die(worker),
        723..730 => Action::Configure(worker, variant(rng)),
        730..734 => Action::Jump(jump(rng)),
        734..960 => Action::Pass(rng.u64(1..200)),
        960..995 => Action::Pass(rng.u64(200..5_000)),
        _ => Action::Pass(rng.u64(5_000..90_000)),
    }
}

fn token(rng: &mut Rng) -> Token {
    let issuer = rng.usize(..ISSUERS);
    match rng.u32(..20) {
        0..9 => Token::Again(rng.usize(..)),
        9..15 => Token::Fresh(issuer),
        15 => Token::Expired(issuer),
        16 => Token::Forged(issuer),
        17 => Token::Narrow(issuer),
        _ => Token::Nothing,
    }
}

fn server(rng: &mut Rng) -> Server {
    match rng.u32(..4) {
        0 => Server::List,
        1 => Server::TokenEndpoint,
        _ => Server::Issuer(rng.usize(..ISSUERS)),
    }
}

fn mood(rng: &mut Rng) -> Mood {
    match rng.u32(..12) {
        0 => Mood::Dead,
        1 => Mood::Garbled,
        2 => Mood::NoHost,
        3 => Mood::Status(503),
        4 => Mood::Status([304, 400, 401, 404, 429, 500][rng.usize(..6)]),
        5 => Mood::Twice,
        6 => Mood::Up(rng.u64(500..8_000)),
        _ => Mood::Up(rng.u64(..100)),
    }
}

fn variant(rng: &mut Rng) -> Variant {
    match rng.u32(..8) {
        0 => Variant::Refused,
        1 => Variant::Denying,
        2 => Variant::OneIssuer,
        3 | 4 => Variant::Exchange,
        _ => Variant::Plain,
    }
}

/// Mostly seconds, sometimes hours.
fn jump(rng: &mut Rng) -> i64 {
    let most = if rng.u32(..4) == 0 { 7_200_000 } else { 5_000 };
    rng.i64(-most..=most)
}
