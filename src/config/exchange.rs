//! The `exchange` section: whether callers' tokens are exchanged for Databricks' own, and on what
//! terms.

use crate::callout::uri::HttpsUri;
use crate::exchange::terms::{ScopeWanted, Terms};
use crate::issuer::preset::Preset;

use super::code::ProblemCode;
use super::document::{ExchangeScopeName, ExchangeSection, IssuerSection};
use super::issuer::{LONGEST_TIMEOUT, SHORTEST_TIMEOUT};
use super::problem::{Place, Problems};
use super::value::Bounded as _;

/// The terms, `known` being the issuers.
#[inline(never)]
pub(super) fn build(
    section: ExchangeSection,
    known: &[IssuerSection],
    problems: &mut Problems,
) -> Option<Terms> {
    let place = Place::at("exchange");
    let cluster = Some(section.cluster).filter(|cluster| !cluster.is_empty());
    if cluster.is_none() {
        problems.add(
            &place.key("cluster"),
            ProblemCode::Empty,
            "empty: name the cluster that leads to the token endpoint",
        );
    }
    let token_endpoint = problems.take(
        &place.key("token_endpoint"),
        &section.token_endpoint,
        HttpsUri::parse(&section.token_endpoint),
    );
    let timeout = section.timeout.within(
        SHORTEST_TIMEOUT..=LONGEST_TIMEOUT,
        &place.key("timeout"),
        problems,
    );
    let client_id = named(section.client_id, "client_id", &place, problems);
    let assume_group = named(section.assume_group, "assume_group", &place, problems);
    let issuers = issuers(section.issuers, known, &place.key("issuers"), problems);
    Some(Terms {
        cluster: cluster?.into(),
        token_endpoint: token_endpoint?,
        scope: match section.scope {
            ExchangeScopeName::AllApis => ScopeWanted::AllApis,
            ExchangeScopeName::Operation => ScopeWanted::Operation,
        },
        client_id,
        assume_group,
        issuers,
        timeout: timeout?,
    })
}

fn named(
    text: Option<String>,
    key: &str,
    place: &Place,
    problems: &mut Problems,
) -> Option<Box<str>> {
    let text = text?;
    if text.is_empty() {
        problems.add(
            &place.key(key),
            ProblemCode::Empty,
            "empty: name one, or leave it out",
        );
    }
    Some(text.into())
}

/// Whose tokens are exchanged: those named, or all but Databricks' own, which it takes as they are.
fn issuers(
    named: Option<Vec<String>>,
    known: &[IssuerSection],
    place: &Place,
    problems: &mut Problems,
) -> Vec<Box<str>> {
    let Some(named) = named else {
        let issuers: Vec<Box<str>> = known
            .iter()
            .filter(|issuer| issuer.preset != Preset::Databricks.as_str())
            .map(|issuer| issuer.issuer.as_str().into())
            .collect();
        if issuers.is_empty() && !known.is_empty() {
            problems.add(
                place, ProblemCode::NothingExchanged,
                "missing, and every configured issuer is Databricks itself, whose tokens need no exchange: name them, or remove `exchange`",
            );
        }
        return issuers;
    };
    if named.is_empty() {
        problems.add(
            place,
            ProblemCode::Empty,
            "empty: leave it out for all but Databricks' own, or name one",
        );
    }
    for (position, name) in named.iter().enumerate() {
        if !known.iter().any(|issuer| issuer.issuer == *name) {
            problems.add(
                &place.item(position),
                ProblemCode::IssuerUnknown,
                format_args!(
                    "not a configured issuer; write its `issuer`, byte for byte: `{name}`"
                ),
            );
        }
    }
    super::issuer::boxed(named)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Configuration;
    use crate::config::problem::ConfigError;
    use crate::config::tests::texts;

    const DATABRICKS: &str = "https://d.example/oidc";

    const PROVIDER: &str = "https://i.example";

    /// A gateway for the tokens of these issuers, given with their presets, with this `exchange`
    /// section.
    fn read(issuers: &[(&str, &str)], section: &str) -> Result<Configuration, ConfigError> {
        let issuers: Vec<String> = issuers
            .iter()
            .map(|(identifier, preset)| {
                format!(
                    r#"{{"issuer":"{identifier}","preset":"{preset}","audiences":["a"],"jwks":{{"cluster":"c"}}}}"#
                )
            })
            .collect();
        let text = format!(
            r#"{{"issuers":[{}],"exchange":{{{section}}}}}"#,
            issuers.join(",")
        );
        Configuration::parse(text.as_bytes())
    }

    /// The terms, given these members besides where to go.
    fn terms(members: &str) -> Terms {
        let issuers = [(DATABRICKS, "databricks"), (PROVIDER, "generic")];
        let section =
            format!(r#""cluster":"c","token_endpoint":"https://d.example/oidc/v1/token"{members}"#);
        read(&issuers, &section).unwrap().exchange.unwrap()
    }

    #[test]
    fn the_terms_are_as_written() {
        let least = Terms {
            cluster: "c".into(),
            token_endpoint: HttpsUri::parse("https://d.example/oidc/v1/token").unwrap(),
            scope: ScopeWanted::AllApis,
            client_id: None,
            assume_group: None,
            issuers: vec![PROVIDER.into()],
            timeout: Duration::from_secs(5),
        };
        assert_eq!(terms(""), least);
        let all = r#","scope":"operation","client_id":"sp-1","assume_group":"42","issuers":["https://d.example/oidc"],"timeout":"2s""#;
        let want = Terms {
            scope: ScopeWanted::Operation,
            client_id: Some("sp-1".into()),
            assume_group: Some("42".into()),
            issuers: vec![DATABRICKS.into()],
            timeout: Duration::from_secs(2),
            ..least
        };
        assert_eq!(terms(all), want);
    }

    #[test]
    fn databricks_own_tokens_are_not_exchanged_unless_named() {
        let takes =
            |members: &str| [DATABRICKS, PROVIDER].map(|issuer| terms(members).takes(issuer));
        assert_eq!(takes(""), [false, true]);
        assert_eq!(
            takes(r#","issuers":["https://d.example/oidc"]"#),
            [true, false]
        );
    }

    #[test]
    fn errors_name_their_place_and_the_remedy() {
        #[rustfmt::skip]
        let cases = [
            // section                                                              its one problem
            (r#""cluster":"c""#,                                                    "exchange: missing field `token_endpoint`"),
            (r#""token_endpoint":"https://d.example/t""#,                           "exchange: missing field `cluster`"),
            (r#""token_endpoint":"https://d.example/t","cluster":"""#,              "exchange.cluster: empty: name the cluster that leads to the token endpoint"),
            (r#""token_endpoint":"http://d.example/t","cluster":"c""#,              "exchange.token_endpoint: not an https URL: `http://d.example/t`"),
            (r#""token_endpoint":"https://d.example/t","cluster":"c","scope":"sql""#, "exchange.scope: unknown variant `sql`, expected `all-apis` or `operation`"),
            (r#""token_endpoint":"https://d.example/t","cluster":"c","client_id":"""#, "exchange.client_id: empty: name one, or leave it out"),
            (r#""token_endpoint":"https://d.example/t","cluster":"c","assume_group":"""#, "exchange.assume_group: empty: name one, or leave it out"),
            (r#""token_endpoint":"https://d.example/t","cluster":"c","issuers":[]"#, "exchange.issuers: empty: leave it out for all but Databricks' own, or name one"),
            (r#""token_endpoint":"https://d.example/t","cluster":"c","issuers":["https://x.example"]"#, "exchange.issuers[0]: not a configured issuer; write its `issuer`, byte for byte: `https://x.example`"),
            (r#""token_endpoint":"https://d.example/t","cluster":"c","timeout":"0s""#, "exchange.timeout: must be between 50ms and 1m"),
            (r#""token_endpoint":"https://d.example/t","cluster":"c","group":"g""#, "exchange.group: unknown field `group`, expected one of `cluster`, `token_endpoint`, `scope`, `client_id`, `assume_group`, `issuers`, `timeout`"),
        ];
        let problems = |preset: &str, section: &str| match read(&[(PROVIDER, preset)], section) {
            Ok(_) => Vec::new(),
            Err(error) => texts(&error),
        };
        for (section, want) in cases {
            assert_eq!(problems("generic", section), [want], "{section}");
        }
        let section = r#""cluster":"c","token_endpoint":"https://d.example/t""#;
        let want = "exchange.issuers: missing, and every configured issuer is Databricks itself, whose tokens need no exchange: \
                    name them, or remove `exchange`";
        assert_eq!(problems("databricks", section), [want]);
    }
}
