use super::*;
use crate::config::Configuration;
use crate::config::tests::{problems, with};

#[test]
fn errors_name_their_place_and_the_remedy() {
    let list = |members: &str| with(&format!(r#","withdrawn":{{"list":{{{members}}}}}"#));
    #[rustfmt::skip]
    let cases = [
        // configuration
        // its one problem
        (with(r#","withdrawn":[]"#),                                                                              "withdrawn: not an object"),
        (with(r#","withdrawn":{"token_id":["t"]}"#),                                                              "withdrawn.token_id: unknown; there are issued_before, clients, key_ids, subjects, token_ids, tokens"),
        (with(r#","withdrawn":{"token_ids":["t",""]}"#),                                                          "withdrawn.token_ids[1]: is empty: no token can match it"),
        (with(r#","withdrawn":{"tokens":["eyJhbGciOiJFUzI1NiJ9.e30.c2ln"]}"#),                                    "withdrawn.tokens[0]: not a SHA-256 in 64 hexadecimal digits: write what `printf %s \"$TOKEN\" | sha256sum` prints"),
        (with(r#","withdrawn":{"issued_before":[{"subject":"s","time":"yesterday"}]}"#),                          "withdrawn.issued_before[0]: `time` is not a moment: write it as `2026-11-23T12:00:00Z`, as a date, or in seconds since 1970"),
        (with(r#","withdrawn":{"issued_before":[{"issuer":"https://x.example","time":1800000000.0}]}"#),          "withdrawn.issued_before: not a configured issuer; write its `issuer`, byte for byte: `https://x.example`"),
        (list(r#""uri":"https://s.example/w""#),                                                                  "withdrawn.list.cluster: missing: name the cluster that leads to the list's server"),
        (list(r#""cluster":"c""#),                                                                                "withdrawn.list.uri: not an https URL: ``"),
        (list(r#""cluster":"c","uri":"https://s.example/w","poll":"100ms""#),                                     "withdrawn.list.poll: must be between 1s and 24h"),
        (list(r#""cluster":"c","uri":"https://s.example/w","poll":10"#),                                          "withdrawn.list.poll: not a text"),
        (list(r#""cluster":"c","uri":"https://s.example/w","poll":"1m","max_stale":"1m""#),                       "withdrawn.list.max_stale: must be between 2m and 24h"),
        (list(r#""cluster":"c","uri":"https://s.example/w","when_stale":"open""#),                                "withdrawn.list.when_stale: neither `refuse` nor `ignore`: `open`"),
        (list(r#""cluster":"c","uri":"https://s.example/w","timeout":"1s""#),                                     "withdrawn.list.timeout: unknown field `timeout`, expected one of `cluster`, `max_stale`, `poll`, `uri`, `when_stale`"),
    ];
    for (text, want) in cases {
        assert_eq!(problems(&text), [want], "{text}");
    }
}

#[test]
fn a_list_has_every_default() {
    let text = with(
        r#","withdrawn":{"list":{"cluster":"c","uri":"https://s.example/w"},"clients":["x"]}"#,
    );
    let configuration = Configuration::parse(text.as_bytes()).unwrap();
    let want = ListSource {
        cluster: "c".into(),
        uri: HttpsUri::parse("https://s.example/w").unwrap(),
        poll: Duration::from_secs(10),
        max_stale: Duration::from_hours(1),
        when_stale: WhenStale::Refuse,
    };
    assert_eq!(configuration.withdrawal_list, Some(want));
    assert_eq!(configuration.authorizer.withdrawn.len(), 1);
}
