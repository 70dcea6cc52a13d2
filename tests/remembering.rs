//! Remembering changes no answer and no record: whatever keys, lists, configurations, clocks and
//! requests do, a gateway that remembers says of each request what one says that reads, verifies
//! and looks up everything anew.

#![cfg(test)]

#[path = "stand_in/dice.rs"]
mod dice;
#[path = "stand_in/keys.rs"]
mod keys;
#[path = "remembering/scene.rs"]
mod scene;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::RandomState;

use databricks_oam_filter::audit::compact;
use databricks_oam_filter::audit::record::{Record, Stamp, words};
use databricks_oam_filter::authorize::verified::VerifiedTokens;
use databricks_oam_filter::authorize::{Authorizer, Decision, Verification};
use databricks_oam_filter::config::Configuration;
use databricks_oam_filter::key_store::KeyStore;
use databricks_oam_filter::key_store::fetch::KeyAnswer;
use databricks_oam_filter::request::Headers;
use databricks_oam_filter::request::envelope::{Envelope, Recipient};
use databricks_oam_filter::time::UnixTime;
use databricks_oam_filter::withdrawn::list::{self, List};
use serde_json::json;

use dice::Dice;
use keys::FirstByte;
use scene::{configuration, key_set, mangled, one_of, token};

const START: u64 = 1_800_000_000;

const HISTORIES: u64 = 60;
const EVENTS: usize = 300;

#[test]
fn remembering_changes_no_answer_and_no_record() {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    let mut hits = 0;
    for seed in 0..HISTORIES {
        let mut dice = Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let mut gateway = Gateway::new(&mut dice, START);
        for event in 0..EVENTS {
            if dice.below(60) == 0 {
                hits += gateway.verified.borrow().counts().hits;
                gateway = Gateway::new(&mut dice, gateway.now.seconds());
            }
            gateway.pass_time(&mut dice);
            let request = request(&mut dice);
            let (reason, with, without) = gateway.judge(&request);
            assert_eq!(with, without, "history {seed}, event {event}: {request:?}");
            *seen.entry(reason).or_default() += 1;
        }
        hits += gateway.verified.borrow().counts().hits;
    }
    assert!(hits > 1500, "{hits} hits");
    for reason in REASONS {
        let count = seen.get(reason).copied().unwrap_or_default();
        assert!(count > 20, "{reason}: {seen:?}");
    }
}

/// What must come up.
const REASONS: [&str; 13] = [
    "permitted",
    "public",
    "insufficient_scope",
    "denied_by_rule",
    "unmatched",
    "ambiguous_path",
    "missing_credentials",
    "token_expired",
    "unknown_key",
    "invalid_signature",
    "withdrawn_token",
    "unknown_workspace",
    "conflicting_workspace",
];

/// One configuration, and what is known under it.
struct Gateway {
    now: UnixTime,
    authorizer: Authorizer,
    keys: KeyStore,
    list: List,
    verified: RefCell<VerifiedTokens>,
}

impl Gateway {
    fn new(dice: &mut Dice, now: u64) -> Self {
        let text = configuration(dice).to_string();
        let mut configuration = Configuration::parse(text.as_bytes()).unwrap();
        let list = configuration.withdrawal_list.take().unwrap();
        Self {
            now: UnixTime::from_seconds(now).unwrap(),
            keys: KeyStore::new(std::mem::take(&mut configuration.key_sources), 1),
            list: List::new(list, 1),
            verified: RefCell::new(VerifiedTokens::new(
                configuration.verified,
                &RandomState::new(),
            )),
            authorizer: configuration.authorizer,
        }
    }

    /// The clock goes on or back; keys and lists come, others than before or none.
    fn pass_time(&mut self, dice: &mut Dice) {
        let span = one_of(dice, [0, 0, 1, 7, 61, 400]);
        let seconds = self.now.seconds();
        let next = match dice.below(5) {
            0 => seconds.saturating_sub(span),
            _ => seconds.saturating_add(span),
        };
        let next = if next.abs_diff(START) > 2000 {
            START
        } else {
            next
        };
        self.now = UnixTime::from_seconds(next).unwrap();
        while let Some(fetch) = self.keys.due(self.now) {
            if dice.below(4) == 0 {
                self.keys.on_failure(&fetch, self.now);
                continue;
            }
            let body = key_set(dice.below(4)).to_string();
            let answer = KeyAnswer {
                status: 200,
                body: body.as_bytes(),
                ..KeyAnswer::default()
            };
            let _ = self.keys.on_answer(&fetch, &answer, self.now);
        }
        if let Some(poll) = self.list.due(self.now) {
            if dice.below(3) == 0 {
                return self.list.on_failure(&poll);
            }
            let body = json!({ "subjects": [format!("s-{}", dice.below(12))], "token_ids": [format!("t-{}", dice.below(12))] });
            let body = body.to_string();
            let answer = list::ListAnswer {
                status: 200,
                body: body.as_bytes(),
                ..list::ListAnswer::default()
            };
            assert!(self.list.on_answer(&poll, &answer).is_ok());
        }
    }

    /// The reason, and all that is said with a memory and without.
    fn judge(&self, pairs: &Pairs) -> (&'static str, String, String) {
        let pairs: Pairs = pairs.clone();
        let headers = Headers::new(
            pairs
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect(),
        );
        let afresh = Verification {
            withdrawals: Some(&self.list),
            ..Verification::afresh(&self.keys, &FirstByte)
        };
        let by = Verification {
            verified: Some(&self.verified),
            ..afresh
        };
        let (reason, with) = self.said(&headers, &by);
        let (_, without) = self.said(&headers, &afresh);
        (reason, with, without)
    }

    fn said(&self, headers: &Headers, by: &Verification<'_>) -> (&'static str, String) {
        let decision = self.authorizer.authorize(headers, by, self.now);
        let envelope = Envelope::of(headers, Some("192.0.2.7"));
        let record = record_line(&decision, &envelope, self.now);
        let removed = decision
            .permit()
            .map(|permit| headers.to_remove(permit.kept()));
        let said = format!(
            "{record}\n{:?} {:?} {:?} {:?} {removed:?} {:?}",
            decision.verdict,
            decision.awaited,
            decision.evidence,
            decision
                .permit()
                .map(|permit| permit.authorization(headers)),
            Recipient::of(headers),
        );
        (words(&decision.verdict).1, said)
    }
}

type Pairs = Vec<(String, String)>;

/// A request, more often than not one that is permitted, and often one of those before it with
/// little changed.
fn request(dice: &mut Dice) -> Pairs {
    let token = token(dice);
    let authorization = match dice.below(24) {
        0 => format!("bearer  {token}"),
        1 => format!("DPoP {token}"),
        2 => format!("Bearer {token}="),
        3 => format!("Bearer {}", mangled(&token, dice)),
        4 => format!("Bearer {}", token.strip_suffix(|_: char| true).unwrap()),
        5 => format!("Bearer {token}, Bearer {token}"),
        6 => format!("Bearer {token} "),
        7 => String::new(),
        8 => format!("Basic {token}"),
        _ => format!("Bearer {token}"),
    };
    let path = one_of(dice, PATHS);
    let host = one_of(dice, HOSTS);
    let method = one_of(
        dice,
        [
            "GET", "GET", "GET", "GET", "GET", "GET", "POST", "POST", "HEAD", "get",
        ],
    );
    let mut pairs: Vec<(&str, String)> = vec![
        (":method", method.to_owned()),
        (":path", path.to_owned()),
        (":authority", host.to_owned()),
        ("authorization", authorization.clone()),
    ];
    match dice.below(12) {
        0 => pairs.push(("authorization", authorization)),
        1 => pairs.push(("x-databricks-org-id", format!("{}", dice.below(3)))),
        2 => pairs.push(("user-agent", format!("sdk {token}"))),
        3 => pairs.push(("cookie", "a=b".to_owned())),
        4 => pairs.extend([
            ("mcp-protocol-version", "2025-06-18".to_owned()),
            ("mcp-method", "tools/call".to_owned()),
            ("mcp-name", one_of(dice, ["run", "stop"]).to_owned()),
        ]),
        _ => {}
    }
    if dice.below(16) == 0 {
        pairs.retain(|(name, _)| *name != "authorization");
    }
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

const HOSTS: [&str; 8] = [
    "a.example",
    "a.example",
    "a.example",
    "b.example",
    "ab.example",
    "ab.example",
    "A.example:443",
    "c.example",
];

const PATHS: [&str; 22] = [
    "/api/2.2/jobs/get",
    "/api/2.2/jobs/get",
    "/api/2.2/jobs/get?job_id=1",
    "/api/2.2/jobs/get?o=1",
    "/api/2.2/jobs/get?access_token=x",
    "/api/2.2/jobs/get/",
    "/api/2.1/jobs/get",
    "/api/2.2/jobs/run-now",
    "/api/2.2/jobs/delete",
    "/api/2.0/secrets/get",
    "/api/2.1/secrets/get/",
    "/api/2.0/sql/warehouses/1",
    "/sql/1.0/endpoints/1",
    "/api/2.0/fs/files/Volumes/main/a/b/c%20d",
    "/api/2.0/fs/files/Volumes/main/a/b/c",
    "/mine/x",
    "/mine/x%2541",
    "/apps/tool/x",
    "/healthz",
    "/healthz/",
    "/nothing/here",
    "/a//b",
];

/// The record of a decision.
fn record_line(decision: &Decision<'_>, envelope: &Envelope<'_>, now: UnixTime) -> String {
    let record = Record {
        decision,
        envelope,
        stamp: Stamp {
            time: Some(now),
            decision_id: "id",
            worker: "worker",
            sequence: 1,
            config: "config",
            inputs: true,
        },
    };
    compact::line(&record, String::new())
}
