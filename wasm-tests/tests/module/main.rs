//! The built module in this process, where thousands of hostile requests take seconds. A trap fails
//! the test.

mod possession;

use databricks_oam_filter::gateway::border;
use serde_json::{Value, json};
use wasm_tests::host::{CalloutAnswer, Crossings, Headers, Host, Verdict, built_module};
use wasm_tests::keys::jwk_set;
use wasm_tests::paths;
use wasm_tests::scene::{fetched, token};

#[test]
fn hosts_are_offered_the_callbacks_in_use_and_no_others() {
    let mut exports: Vec<&str> = built_module()
        .exports()
        .map(|export| export.name())
        .collect();
    exports.sort_unstable();
    // No response, no log, no `proxy_on_done`: the host calls whatever is there, for each request.
    let mut want: Vec<_> = ["callback", "gate", "runtime"]
        .into_iter()
        .flat_map(border::names)
        .collect();
    want.sort_unstable();
    assert_eq!(exports, want, "run scripts/build");
    let mut imports: Vec<_> = built_module()
        .imports()
        .map(|import| import.name())
        .collect();
    imports.sort_unstable();
    let mut want: Vec<_> = ["call", "note", "share"]
        .into_iter()
        .flat_map(border::names)
        .collect();
    want.sort_unstable();
    assert_eq!(imports, want, "src/gateway/border.tsv");
}

/// Each crossing costs a fraction of a microsecond, with every request.
#[test]
fn a_permitted_request_crosses_the_border_as_seldom_as_it_can() {
    let mut host = inline();
    let request = request(&token("acme-rsa"));
    assert_eq!(status(&host.request(&request, b"")), 200);
    for _ in 0..3 {
        host.take_crossings();
        assert_eq!(status(&host.request(&request, b"")), 200);
        let want = Crossings {
            // The context's beginning, its head and its end; memory for the header map and for the
            // client's address.
            into_module: 5,
            // The header map, the client's address, the time, whether the log takes the record,
            // and the record.
            to_host: 5,
        };
        assert_eq!(host.take_crossings(), want);
    }
}

#[test]
fn a_configuration_that_does_not_parse_leaves_a_filter_that_denies_everything() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for text in [
        "",
        "{}",
        "null",
        "[]",
        "\u{feff}{}",
        r#"{"issuers":[]}"#,
        r#"{"issuers":1}"#,
        &deep,
        "\n\u{0}\u{1}",
    ] {
        let mut host = Host::start(text, &["issuer"], Box::new(|_| CalloutAnswer::Never));
        assert!(!host.configured(), "took {text:.40}");
        host.tick();
        let status = status(&host.request(&request(&token("acme-rsa")), b""));
        assert!(status >= 400, "{text:.40}: {status}");
    }
}

#[test]
fn every_one_byte_change_of_a_good_token_is_refused() {
    let mut host = inline();
    let token = token("acme-rsa");
    assert_eq!(status(&host.request(&request(&token), b"")), 200);
    for position in 0..token.len() {
        for byte in [b'A', b'_', b'=', b'.'] {
            let mut changed = token.clone().into_bytes();
            if std::mem::replace(&mut changed[position], byte) != byte {
                let text = String::from_utf8(changed).expect("ASCII");
                let status = status(&host.request(&request(&text), b""));
                assert!(
                    matches!(status, 400 | 401),
                    "byte {position} as {}: {status}",
                    char::from(byte)
                );
            }
        }
    }
}

#[test]
fn any_header_map_ends_in_an_answer() {
    let mut host = inline();
    let names = [
        ":method",
        ":path",
        ":authority",
        ":scheme",
        "authorization",
        "dpop",
        "content-type",
        "cookie",
        "x-request-id",
        "",
        "\u{0}",
        "x-oam-x",
    ];
    let mut random = Random(7);
    for _ in 0..5_000 {
        let count = random.below(8);
        let headers: Headers = (0..count)
            .map(|_| {
                let name = names[random.below(names.len())].to_owned();
                let length = random.below(40);
                let mut value: Vec<u8> = (0..length).map(|_| random.byte()).collect();
                match random.below(6) {
                    0 | 1 => value = [b"Bearer ", value.as_slice()].concat(),
                    2 => value = [b"DPoP ", value.as_slice()].concat(),
                    _ => {}
                }
                (name, value)
            })
            .collect();
        let status = status(&host.request(&headers, b""));
        assert!(matches!(status, 400 | 401 | 500), "{headers:?}: {status}");
    }
    assert_eq!(
        status(&host.request(&request(&token("acme-rsa")), b"")),
        200,
        "and it still works"
    );
}

#[test]
fn memory_stays_bounded() {
    let mut host = inline();
    let send = |host: &mut Host, count: usize| {
        for number in 0..count {
            let text = format!("{}.{number:08}{}", token("acme-rsa"), "x".repeat(4000));
            assert!(matches!(
                status(&host.request(&request(&text), b"")),
                400 | 401
            ));
        }
        host.take_log();
    };
    send(&mut host, 500);
    let warm = host.memory();
    send(&mut host, 3_000);
    let grown = host.memory() - warm;
    assert!(grown <= 1 << 20, "{grown} bytes after 3,000 requests");
}

#[test]
fn whatever_a_callout_brings() {
    let huge = json!({ "keys": [], "padding": "x".repeat(10 << 20) })
        .to_string()
        .into_bytes();
    let deep = format!(r#"{{"keys":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000)).into_bytes();
    let answers: [(u16, Vec<u8>); 8] = [
        (200, huge),
        (200, deep),
        (200, b"\xff\xfe".to_vec()),
        (200, Vec::new()),
        (200, br#"{"keys":[{"kty":"RSA","n":"AQAB""#.to_vec()),
        (503, b"upstream connect error".to_vec()),
        (302, Vec::new()),
        (0, b"{}".to_vec()),
    ];
    for (code, body) in answers {
        let name = format!("{code}, {} bytes", body.len());
        let answer = move |_: &_| CalloutAnswer::Answer {
            status: code,
            headers: vec![("cache-control".into(), vec![0xff])],
            body: body.clone(),
        };
        let mut host = Host::start(
            &fetched(&json!({})).to_string(),
            &["issuer"],
            Box::new(answer),
        );
        host.tick();
        host.set_clock(now_millis() + 60_000);
        let verdict = host.request(&request(&token("acme-rsa")), b"");
        assert!(
            matches!(verdict, Verdict::Waiting) || status(&verdict) == 503,
            "{name}: {verdict:?}"
        );
    }
    for answer in [CalloutAnswer::Failed, CalloutAnswer::Never] {
        let name = format!("{answer:?}");
        let mut host = Host::start(
            &fetched(&json!({})).to_string(),
            &["issuer"],
            Box::new(move |_| answer.clone()),
        );
        host.tick();
        let verdict = host.request(&request(&token("acme-rsa")), b"");
        assert!(
            matches!(verdict, Verdict::Waiting) || status(&verdict) == 503,
            "{name}: {verdict:?}"
        );
    }
}

#[test]
fn a_clock_that_jumps() {
    let mut host = inline();
    let token = token("acme-rsa");
    let now = now_millis();
    for (name, clock, want) in [
        ("now", now, 200),
        ("a day later", now + 86_400_000, 401),
        ("back again", now, 200),
        ("a day before", now - 86_400_000, 401),
        ("the epoch", 0, 401),
        ("the year 2554", u64::MAX / 1_000_000, 401),
        ("now once more", now, 200),
    ] {
        host.set_clock(clock);
        host.tick();
        assert_eq!(status(&host.request(&request(&token), b"")), want, "{name}");
    }
}

#[test]
fn a_host_that_calls_in_odd_orders() {
    let mut host = inline();
    let context = host.begin(&Vec::new());
    host.tick();
    assert_eq!(
        status(&host.finish(context)),
        500,
        "a request without headers"
    );
    let many: Headers = (0..1_000)
        .map(|number| (format!("x-{number}"), vec![b'a'; 60]))
        .collect();
    assert!(matches!(
        status(&host.request(&many, b"body")),
        400 | 401 | 500
    ));
}

/// The module with keys in its configuration.
fn inline() -> Host {
    let mut configuration = fetched(&json!({}));
    configuration["issuers"][0]["jwks"] = json!({ "keys": jwk_set(["acme-rsa"]) });
    let host = Host::start(
        &configuration.to_string(),
        &[],
        Box::new(|_| CalloutAnswer::Never),
    );
    assert!(host.configured());
    host
}

fn request(token: &str) -> Headers {
    let pairs: [(&str, String); 5] = [
        (":method", "GET".to_owned()),
        (":path", "/api/2.2/jobs/get".to_owned()),
        (":authority", "databricks.example.com".to_owned()),
        (":scheme", "https".to_owned()),
        ("authorization", format!("Bearer {token}")),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.into_bytes()))
        .into()
}

/// The status that the client would see; of a denial that the record must agree with.
fn status(verdict: &Verdict) -> u16 {
    match verdict {
        Verdict::Forward(_) => 200,
        Verdict::Reply(reply) => {
            let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            assert!(
                body["error_code"].is_string(),
                "a reply without a code: {reply:?}"
            );
            reply.status
        }
        Verdict::Waiting => panic!("a request waits for ever"),
    }
}

fn now_millis() -> u64 {
    u64::try_from(paths::now()).expect("a clock after 1970") * 1000
}

/// A small generator, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % limit
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).expect("a byte")
    }
}
