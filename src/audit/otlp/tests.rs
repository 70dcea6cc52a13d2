use super::*;
use crate::callout::uri::HttpsUri;

mod losses;

const START: u64 = 1_800_000_000_000;

fn at(millis: u64) -> UnixTime {
    UnixTime::from_millis(START.saturating_add(millis)).unwrap()
}

fn exporter(queue_bytes: usize) -> Exporter {
    let collector = Collector {
        cluster: "collector".into(),
        uri: HttpsUri::parse("https://c.example/v1/logs").unwrap(),
        headers: vec![CollectorHeader {
            name: "x-key".into(),
            value: "secret".into(),
        }],
        queue_bytes,
        timeout: Duration::from_secs(5),
    };
    Exporter::new(collector, 7)
}

fn record(line: &str) -> Exported {
    Exported {
        time: Some(at(0)),
        is_allowed: line.contains("allow"),
        trace_id: Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
        line: line.into(),
    }
}

/// Whatever it takes with one letter.
fn bytes_of_one() -> usize {
    record("a").bytes()
}

fn lines(shipment: &Shipment) -> Vec<String> {
    message::tests::lines(&shipment.call.body)
}

fn status(status: u16) -> Receipt<'static> {
    Receipt {
        status,
        ..Receipt::default()
    }
}

#[test]
fn records_go_in_batches_and_once() {
    let mut exporter = exporter(1 << 20);
    assert!(exporter.due(at(0)).is_none());
    assert_eq!(exporter.next_due(), None);
    assert!(exporter.push(record("a")) && exporter.push(record("b")));
    let first = exporter.due(at(1)).unwrap();
    assert_eq!(lines(&first), ["a", "b"]);
    assert_eq!(
        (first.call.method, &*first.call.cluster, first.call.accept),
        ("POST", "collector", "application/x-protobuf")
    );
    let headers: Vec<(&str, &str)> = (first.call.headers.iter())
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert_eq!(
        headers,
        [
            ("content-type", "application/x-protobuf"),
            ("x-key", "secret")
        ]
    );
    // While it is under way nothing else is sent, and what comes meanwhile is not in it.
    assert!(exporter.push(record("c")) && exporter.due(at(2)).is_none());
    assert_eq!(exporter.on_answer(&first, &status(200), at(3)), Ok(()));
    // Not at once: what comes within a second goes together.
    assert!(exporter.due(at(4)).is_none());
    let second = exporter.due(at(1003)).unwrap();
    assert_eq!(lines(&second), ["c"]);
    assert_eq!(
        exporter.on_answer(&first, &status(200), at(1004)),
        Err(ExportFailure::GivenUp)
    );
    assert_eq!(exporter.on_answer(&second, &status(202), at(1005)), Ok(()));
    assert_eq!(exporter.next_due(), None);
}

#[test]
fn a_batch_that_may_be_taken_later_is_sent_again_and_no_sooner_than_asked() {
    let later = |answer: Receipt<'static>| {
        let mut exporter = exporter(1 << 20);
        exporter.push(record("a"));
        let sent = exporter.due(at(0)).unwrap();
        let failure = exporter.on_answer(&sent, &answer, at(0)).unwrap_err();
        let wait = exporter.next_due().unwrap().since(at(0));
        let again = exporter.due(at(0).after(wait)).map(|sent| lines(&sent));
        (failure, wait, again)
    };
    for code in [429, 502, 503, 504] {
        let (failure, wait, again) = later(status(code));
        assert_eq!(failure, ExportFailure::Later(code));
        assert!((750..=1000).contains(&wait.as_millis()), "{wait:?}");
        assert_eq!(again, Some(vec!["a".to_owned()]));
    }
    let asks = |retry_after| Receipt {
        status: 429,
        retry_after: Some(retry_after),
        body: b"",
    };
    let (_, wait, _) = later(asks(b"7"));
    assert_eq!(wait, Duration::from_secs(7));
    let (_, wait, _) = later(asks(b"0"));
    assert_eq!(wait, FIRST_RETRY);
    let (_, wait, _) = later(asks(b"86400"));
    assert_eq!(wait, LONGEST_ASKED);
    let (_, wait, _) = later(asks(b"Fri, 27 Nov 2026 00:00:00 GMT"));
    assert!(wait <= FIRST_RETRY, "{wait:?}");
}

#[test]
fn what_a_collector_refuses_is_counted_and_told() {
    let mut exporter = exporter(1 << 20);
    exporter.push(record("a"));
    exporter.push(record("b"));
    let sent = exporter.due(at(0)).unwrap();
    let failure = exporter.on_answer(&sent, &status(400), at(0));
    assert_eq!(failure, Err(ExportFailure::Refused(400)));
    exporter.push(record("c"));
    let sent = exporter.due(at(1000)).unwrap();
    assert_eq!(lines(&sent), ["notice 7-1: 0 dropped, 2 rejected"]);
    assert_eq!(exporter.on_answer(&sent, &status(200), at(1000)), Ok(()));
    // Records follow at once.
    let sent = exporter.due(at(1000)).unwrap();
    assert_eq!(lines(&sent), ["c"]);
    let failure = exporter.on_answer(&sent, &partial(), at(1001));
    assert_eq!(failure, Err(ExportFailure::Partial(1, "no".to_owned())));
    // The collector hears of losses no more often than it must.
    assert!(exporter.due(at(10_999)).is_none());
    assert_eq!(exporter.next_due(), Some(at(11_000)));
    let sent = exporter.due(at(11_001)).unwrap();
    assert_eq!(lines(&sent), ["notice 7-2: 0 dropped, 1 rejected"]);
    assert_eq!(exporter.on_answer(&sent, &status(200), at(11_002)), Ok(()));
    assert_eq!(exporter.next_due(), None);
}

/// The collector rejects one record, and says why.
fn partial() -> Receipt<'static> {
    Receipt {
        status: 200,
        retry_after: None,
        body: b"\x0a\x06\x08\x01\x12\x02no",
    }
}

#[test]
fn a_collector_that_takes_no_notices_gets_records_all_the_same() {
    for (name, answer) in [("refused", status(400)), ("rejected", partial())] {
        let mut exporter = exporter(2 * bytes_of_one());
        let (mut sent, mut now) = (Vec::new(), 0);
        for line in ["a", "b", "c"] {
            exporter.push(record(line));
        }
        for _ in 0..5 {
            now += 30_000;
            let Some(shipment) = exporter.due(at(now)) else {
                continue;
            };
            let is_notice = lines(&shipment)
                .iter()
                .all(|line| line.starts_with("notice"));
            let answer = if is_notice { &answer } else { &status(200) };
            let _ = exporter.on_answer(&shipment, answer, at(now));
            sent.extend(lines(&shipment));
            exporter.push(record("d"));
        }
        // And none of them counts as rejected.
        let notice = "notice 7-1: 1 dropped, 0 rejected";
        let want = [notice, "a", "b", notice, "d", "d", notice];
        assert_eq!(sent, want, "{name}");
    }
}

#[test]
fn the_queue_is_bounded_and_what_it_drops_is_counted_exactly() {
    let mut exporter = exporter(3 * bytes_of_one());
    let fits: Vec<bool> = ["a", "b", "c", "d", "e"]
        .map(record)
        .map(|each| exporter.push(each))
        .into();
    assert_eq!(fits, [true, true, true, false, false]);
    assert!(!exporter.has_room());
    let sent = exporter.due(at(0)).unwrap();
    assert_eq!(lines(&sent), ["notice 7-1: 2 dropped, 0 rejected"]);
    // What is dropped while that is under way goes into the next notice.
    exporter.push(record("f"));
    assert_eq!(exporter.on_answer(&sent, &status(200), at(1)), Ok(()));
    let sent = exporter.due(at(1)).unwrap();
    assert_eq!(lines(&sent), ["a", "b", "c"]);
    exporter.push(record("g"));
    assert_eq!(exporter.on_answer(&sent, &status(200), at(2)), Ok(()));
    assert!(exporter.push(record("h")));
    // The next notice takes its time.
    let sent = exporter.due(at(1002)).unwrap();
    assert_eq!(lines(&sent), ["h"]);
    assert_eq!(exporter.on_answer(&sent, &status(200), at(1003)), Ok(()));
    let sent = exporter.due(at(10_001)).unwrap();
    assert_eq!(lines(&sent), ["notice 7-2: 2 dropped, 0 rejected"]);
    let tally = exporter.take_tally();
    assert_eq!((tally.arrived, tally.dropped, tally.rejected), (4, 4, 0));
}

#[test]
fn a_collector_that_refuses_everything_is_asked_more_and_more_seldom() {
    let mut exporter = exporter(1 << 20);
    let (mut waits, mut now) = (Vec::new(), 0);
    for _ in 0..4 {
        exporter.push(record("a"));
        let sent = exporter.due(at(now)).unwrap();
        let failure = exporter.on_answer(&sent, &status(401), at(now));
        assert_eq!(failure, Err(ExportFailure::Refused(401)));
        let wait = exporter.next_due().unwrap().since(at(now)).as_millis();
        waits.push(wait);
        now += u64::try_from(wait).unwrap();
    }
    let is_about = |(wait, seconds): (u128, u128)| (seconds * 750..=seconds * 1000).contains(&wait);
    let all = waits.iter().copied().zip([1, 2, 4, 8]).all(is_about);
    assert!(all, "{waits:?}");
    assert_eq!(exporter.troubles(), 4);
}

#[test]
fn an_answer_that_never_comes_is_not_waited_for() {
    let mut exporter = exporter(1 << 20);
    exporter.push(record("a"));
    let lost = exporter.due(at(0)).unwrap();
    let mut again = None;
    // Seen in small steps, since a clock that leaps says nothing of what has passed.
    for second in 1..=10 {
        again = again.or(exporter.due(at(second * 1000)));
    }
    assert_eq!(lines(&again.unwrap()), ["a"]);
    assert_eq!(
        exporter.on_answer(&lost, &status(200), at(10_001)),
        Err(ExportFailure::GivenUp)
    );
}

#[test]
fn an_exporter_takes_over_what_another_leaves() {
    let mut former = exporter(2 * bytes_of_one());
    for line in ["a", "b", "c"] {
        former.push(record(line));
    }
    let mut exporter = exporter(1 << 20);
    exporter.adopt(former);
    exporter.push(record("d"));
    let sent = exporter.due(at(0)).unwrap();
    assert_eq!(lines(&sent), ["notice 7-1: 1 dropped, 0 rejected"]);
    assert_eq!(exporter.on_answer(&sent, &status(200), at(1)), Ok(()));
    let sent = exporter.due(at(1)).unwrap();
    assert_eq!(lines(&sent), ["a", "b", "d"]);
}

#[test]
fn a_batch_is_no_longer_than_it_may_be() {
    let mut exporter = exporter(16 << 20);
    let (long, longest) = ("a".repeat(100_000), "b".repeat(MAX_BATCH_BYTES));
    for line in [&long, &long, &long, &long, &long, &long, &longest, &long] {
        exporter.push(record(line));
    }
    assert!(exporter.is_pressing());
    let mut sizes = Vec::new();
    for millis in [0, 0, 0, 0, 1000] {
        let Some(sent) = exporter.due(at(millis)) else {
            sizes.push(0);
            continue;
        };
        sizes.push(lines(&sent).len());
        assert_eq!(exporter.on_answer(&sent, &status(200), at(millis)), Ok(()));
    }
    assert_eq!(sizes, [5, 1, 1, 0, 1]);
}

#[test]
fn nobody_reads_the_collectors_secret_off_its_settings() {
    let shown = format!("{:?}", exporter(1).collector);
    assert!(!shown.contains("secret"), "{shown}");
}
