use super::*;
use crate::withdrawn::tests::{bearer, valid};

/// 2027-01-15T08:00:00Z.
const START: u64 = 1_800_000_000;

const LIST: &[u8] = br#"{"token_ids":["t-1"]}"#;

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_seconds(START)
        .unwrap()
        .after(Duration::from_secs(seconds))
}

fn list(when_stale: WhenStale) -> List {
    let source = ListSource {
        cluster: "security".into(),
        uri: HttpsUri::parse("https://s.example/withdrawn.json").unwrap(),
        poll: Duration::from_secs(10),
        max_stale: Duration::from_mins(1),
        when_stale,
    };
    List::new(source, 7)
}

fn ok(body: &[u8]) -> ListAnswer<'_> {
    ListAnswer {
        status: 200,
        tag: Some(b"\"v1\""),
        body,
    }
}

fn status(status: u16) -> ListAnswer<'static> {
    ListAnswer {
        status,
        ..ListAnswer::default()
    }
}

/// A list that had an answer at the start.
fn answered(when_stale: WhenStale, body: &[u8]) -> List {
    let mut list = list(when_stale);
    let poll = list.due(at(0)).unwrap();
    assert!(list.on_answer(&poll, &ok(body)).is_ok());
    list
}

/// A second after the other, as a worker ticks, nothing being asked or answered.
fn wait(list: &mut List, seconds: std::ops::RangeInclusive<u64>) {
    for second in seconds {
        list.clock.read(at(second));
    }
}

fn has(list: &List, seconds: u64) -> Result<bool, Stale> {
    list.has(&valid(), bearer(), at(seconds))
}

#[test]
fn before_the_first_list_nothing_is_withdrawn_however_long_it_takes() {
    let mut list = list(WhenStale::Refuse);
    assert_eq!(has(&list, 0), Ok(false));
    let poll = list.due(at(0)).unwrap();
    list.on_failure(&poll);
    assert_eq!(has(&list, 100_000), Ok(false));
    assert!(!list.is_known());
}

#[test]
fn another_configuration_goes_on_with_the_last_good_list_of_the_same_server() {
    let former = answered(WhenStale::Refuse, LIST);
    let of = |change: fn(&mut ListSource)| {
        let mut source = list(WhenStale::Ignore).source;
        change(&mut source);
        List::new(source, 8)
    };
    #[rustfmt::skip]
    let cases: [(&str, fn(&mut ListSource), Result<bool, Stale>); 5] = [
        // name                 what differs                                                want
        ("nothing",             |_| {},                                                     Ok(true)),
        ("how often",           |source| source.poll = Duration::from_secs(1),              Ok(true)),
        ("how old it may be",   |source| source.max_stale = Duration::from_secs(1),         Ok(false)),
        ("another cluster",     |source| source.cluster = "other".into(),                   Ok(false)),
        ("another list",        |source| source.uri = HttpsUri::parse("https://s.example/x").unwrap(), Ok(false)),
    ];
    for (name, change, want) in cases {
        let mut list = of(change);
        list.adopt(&former);
        assert_eq!(has(&list, 1), want, "{name}");
        assert!(list.due(at(1)).is_some(), "{name}: it is asked for at once");
    }
    let mut newer = answered(WhenStale::Refuse, b"{}");
    newer.adopt(&former);
    assert_eq!(has(&newer, 1), Ok(false), "its own is the newer one");
}

#[test]
fn a_list_withdraws_and_the_next_one_may_let_go() {
    let mut list = answered(WhenStale::Refuse, LIST);
    assert_eq!(has(&list, 0), Ok(true));
    let poll = list.due(at(10)).unwrap();
    assert_eq!(list.on_answer(&poll, &ok(b"{}")), Ok(Polled::New(0)));
    assert_eq!(has(&list, 10), Ok(false));
}

#[test]
fn the_first_poll_is_due_at_once_and_the_next_within_an_interval() {
    let mut list = answered(WhenStale::Refuse, LIST);
    assert!(list.due(at(7)).is_none(), "not before three quarters");
    assert!(list.next_due() <= at(10));
    assert!(list.due(at(10)).is_some());
    assert!(list.due(at(10)).is_none(), "one at a time");
}

#[test]
fn the_next_poll_is_counted_from_the_question_and_not_from_the_answer() {
    let mut list = list(WhenStale::Refuse);
    let poll = list.due(at(0)).unwrap();
    // However long the answer took.
    list.on_answer(&poll, &ok(LIST)).unwrap();
    assert!(list.next_due() <= at(10));
    assert_eq!(has(&list, 59), Ok(true));
}

#[test]
fn a_tag_is_sent_back_and_an_unchanged_list_is_confirmed() {
    let mut list = answered(WhenStale::Refuse, b"{}");
    let poll = list.due(at(50)).unwrap();
    assert_eq!(
        poll.call.headers,
        [("if-none-match".into(), Box::from("\"v1\""))]
    );
    assert_eq!(list.on_answer(&poll, &status(304)), Ok(Polled::Unchanged));
    wait(&mut list, 50..=109);
    assert_eq!(has(&list, 109), Ok(false));
    assert_eq!(has(&list, 110), Err(Stale));
}

#[test]
fn a_304_that_nobody_asked_for_is_a_failure() {
    let mut list = list(WhenStale::Refuse);
    let poll = list.due(at(0)).unwrap();
    assert_eq!(poll.call.headers, []);
    assert_eq!(
        list.on_answer(&poll, &status(304)),
        Err(PollFailure::Status(304))
    );
}

#[test]
fn a_tag_that_cannot_be_sent_back_is_none() {
    for tag in [&b"\"a b\""[..], b"\"\xff\"", b"\"a\r\nx: y\"", &[b'a'; 257]] {
        let mut list = list(WhenStale::Refuse);
        let poll = list.due(at(0)).unwrap();
        let answer = ListAnswer {
            tag: Some(tag),
            ..ok(LIST)
        };
        assert_eq!(list.on_answer(&poll, &answer), Ok(Polled::New(1)));
        assert_eq!(list.due(at(10)).unwrap().call.headers, [], "{tag:?}");
    }
}

#[test]
fn whatever_is_answered_in_place_of_a_list_keeps_the_last_good_one() {
    use crate::token::text::TextError;
    use crate::withdrawn::EntryError;
    let large = vec![b' '; MAX_BYTES + 1];
    let empty = WithdrawalFault::Entry(EntryError::Text(TextError::Empty));
    #[rustfmt::skip]
    let cases: [(&str, ListAnswer<'_>, PollFailure); 9] = [
        ("a 503",                status(503),                                 PollFailure::Status(503)),
        ("a redirect",           status(302),                                 PollFailure::Status(302)),
        ("an empty body",        ok(b""),                                     PollFailure::Json(JsonError::Malformed)),
        ("half a list",          ok(br#"{"token_ids":["t-1""#),               PollFailure::Json(JsonError::Malformed)),
        ("a list of lists",      ok(b"[]"),                                   PollFailure::NotObject),
        ("a key with an error",  ok(br#"{"token_id":["t-1"]}"#),              PollFailure::Entry("token_id".to_owned(), WithdrawalFault::UnknownKey)),
        ("a list to be polled",  ok(br#"{"list":{}}"#),                       PollFailure::Entry("list".to_owned(), WithdrawalFault::UnknownKey)),
        ("one bad entry",        ok(br#"{"token_ids":["t-2",""]}"#),          PollFailure::Entry("token_ids[1]".to_owned(), empty)),
        ("too many bytes",       ok(&large),                                  PollFailure::TooLarge),
    ];
    for (name, answer, want) in cases {
        let mut list = answered(WhenStale::Refuse, LIST);
        let poll = list.due(at(10)).unwrap();
        assert_eq!(list.on_answer(&poll, &answer), Err(want), "{name}");
        assert_eq!(has(&list, 10), Ok(true), "{name}");
        assert_eq!(list.failures(), 1, "{name}");
    }
}

#[test]
fn a_list_that_is_not_renewed_grows_stale() {
    for (when_stale, want) in [
        (WhenStale::Refuse, Err(Stale)),
        (WhenStale::Ignore, Ok(false)),
    ] {
        let mut list = answered(when_stale, b"{}");
        wait(&mut list, 0..=59);
        assert_eq!(has(&list, 59), Ok(false));
        assert_eq!(has(&list, 60), want);
        // What is withdrawn stays so, and is not an outage.
        let mut list = answered(when_stale, LIST);
        wait(&mut list, 0..=60);
        assert_eq!(has(&list, 60), Ok(true));
    }
}

#[test]
fn a_stale_list_is_one_good_answer_from_being_fresh() {
    let mut list = answered(WhenStale::Refuse, b"{}");
    wait(&mut list, 0..=100);
    assert_eq!(has(&list, 100), Err(Stale));
    let poll = list.due(at(100)).unwrap();
    list.on_answer(&poll, &ok(b"{}")).unwrap();
    assert_eq!(has(&list, 100), Ok(false));
}

#[test]
fn failures_are_tried_again_sooner_than_the_interval_and_never_later() {
    let mut list = list(WhenStale::Refuse);
    let mut now = at(0);
    let mut waits = Vec::new();
    for _ in 0..12 {
        let poll = list.due(now).unwrap();
        list.on_failure(&poll);
        let wait = list.next_due().since(now);
        waits.push(wait);
        now = list.next_due();
    }
    for (failures, wait) in waits.iter().enumerate() {
        let most = Duration::from_secs(1_u64 << failures.min(10)).min(Duration::from_secs(10));
        assert!(*wait <= most, "{waits:?}");
        assert!(*wait >= most / 2, "{waits:?}");
    }
}

#[test]
fn a_poll_without_an_answer_is_given_up() {
    let mut list = list(WhenStale::Refuse);
    let first = list.due(at(0)).unwrap();
    for second in 1..=6 {
        assert!(list.due(at(second)).is_none());
    }
    let second = list.due(at(7)).unwrap();
    assert_eq!(list.on_answer(&first, &ok(LIST)), Err(PollFailure::GivenUp));
    assert_eq!(list.on_answer(&second, &ok(LIST)), Ok(Polled::New(1)));
    assert_eq!(list.failures(), 0);
}

#[test]
fn a_list_that_says_the_same_again_is_no_news() {
    let mut list = answered(WhenStale::Refuse, LIST);
    let poll = list.due(at(10)).unwrap();
    assert_eq!(list.on_answer(&poll, &ok(LIST)), Ok(Polled::Unchanged));
}

/// A list that is polled each second, and what its server last said.
struct Polled1s {
    list: List,
    /// Milliseconds since the start, by the clock.
    clock: i64,
    is_up: bool,
    body: &'static [u8],
}

#[expect(
    clippy::arithmetic_side_effects,
    reason = "what a test counts is small"
)]
impl Polled1s {
    fn now(&self) -> UnixTime {
        let start = i64::try_from(START).unwrap() * 1000;
        UnixTime::from_millis(u64::try_from(start + self.clock).unwrap()).unwrap()
    }

    /// So many seconds of the worker's life, in each of which it ticks and its polls are answered.
    fn live(&mut self, seconds: u32) {
        for _ in 0..seconds {
            self.clock += 1000;
            while let Some(poll) = self.list.due(self.now()) {
                if self.is_up {
                    self.list.on_answer(&poll, &ok(self.body)).unwrap();
                } else {
                    self.list.on_failure(&poll);
                }
            }
        }
    }

    fn has(&self) -> Result<bool, Stale> {
        self.list.has(&valid(), bearer(), self.now())
    }
}

#[test]
fn however_the_clock_is_set_a_list_holds_within_its_interval_and_no_longer_than_it_may() {
    const SECOND: i64 = 1000;
    const HOUR: i64 = 3600 * SECOND;
    const YEARS: i64 = 5 * 365 * 24 * HOUR;
    for first in [3, 60, 3600, 5 * 365 * 24 * 3600].map(|seconds| seconds * SECOND) {
        for steps in [
            [-first, 0],
            [first, 0],
            [first, -first],
            [-first, first],
            [YEARS, -YEARS],
            [HOUR, HOUR],
        ] {
            let mut world = Polled1s {
                list: list(WhenStale::Refuse),
                clock: 0,
                is_up: true,
                body: b"{}",
            };
            world.list.source.poll = Duration::from_secs(1);
            world.list.source.max_stale = Duration::from_secs(5);
            let name = format!("{steps:?}");
            world.live(10);
            world.body = LIST;
            world.clock += steps[0];
            assert_eq!(
                world.has(),
                Ok(false),
                "{name}: one look at the clock makes nothing stale"
            );
            world.live(1);
            assert_eq!(
                world.has(),
                Ok(true),
                "{name}: withdrawn within an interval"
            );
            world.body = b"{}";
            world.clock += steps[1];
            world.live(1);
            assert_eq!(world.has(), Ok(false), "{name}: and let go within one");
            world.is_up = false;
            world.clock += steps[0];
            world.live(1);
            assert_eq!(world.has(), Ok(false), "{name}: not stale for one look");
            world.live(5);
            assert_eq!(
                world.has(),
                Err(Stale),
                "{name}: nor known for longer than it may be"
            );
            world.is_up = true;
            world.clock += steps[1];
            world.live(10);
            assert_eq!(world.has(), Ok(false), "{name}: and back once it is polled");
        }
    }
}
