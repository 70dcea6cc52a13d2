//! People who open pages in a browser: `envoy/browser`, with Envoy's own filter `oauth2` before
//! ours.

use std::collections::BTreeMap;

use crate::client::Answer;
use crate::gateway::{self, Gateway};

const PAGE: &str = "/.oam/me";
const JOB: &str = "/api/2.2/jobs/get";
const SIGN_IN: &str = "https://acme.okta.com/oauth2/aus1a2b3/v1/authorize?";
const SITE: &str = "https://databricks.example.com";

/// As much of a browser as redirects and cookies need.
struct Browser<'g> {
    gateway: &'g Gateway,
    cookies: BTreeMap<String, String>,
}

impl<'g> Browser<'g> {
    fn new(gateway: &'g Gateway) -> Self {
        let cookies = BTreeMap::new();
        Self { gateway, cookies }
    }

    /// Somebody follows a link.
    fn open(&mut self, path: &str) -> Answer {
        self.request(path, "navigate")
    }

    fn request(&mut self, path: &str, mode: &str) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let headers = [
            ("sec-fetch-mode", mode.to_owned()),
            ("cookie", cookies.join("; ")),
        ];
        let answer = self.gateway.client().get_with(path, &headers);
        let answer = answer.expect("an answer");
        for cookie in answer.values("set-cookie") {
            let (cookie, about) = cookie.split_once(';').expect("attributes");
            let (name, value) = cookie.split_once('=').expect("a value");
            if about.to_ascii_lowercase().contains("max-age=0") || value == "deleted" {
                self.cookies.remove(name);
            } else {
                for attribute in ["secure", "httponly", "samesite=lax"] {
                    let about = about.to_ascii_lowercase();
                    assert!(about.contains(attribute), "{name}: {attribute}: {about}");
                }
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// Opens a page, and signs in when asked to; what the page says then.
    fn sign_in(&mut self, page: &str) -> Answer {
        let asked = self.open(page);
        let back = approve(&asked);
        let returned = self.open(&back);
        assert_eq!(returned.status, 302, "{returned:?}");
        let location = returned.values("location").next().expect("a location");
        let path = location.strip_prefix(SITE).expect("a page of this site");
        assert_eq!(path, page);
        self.open(path)
    }
}

/// What the provider's page does when somebody has signed in there: it sends them back, with a code
/// and the state that it was given.
fn approve(asked: &Answer) -> String {
    assert_eq!(asked.status, 302, "{asked:?}");
    let location = asked.values("location").next().expect("a location");
    let query = location.strip_prefix(SIGN_IN).expect("the sign-in page");
    let of_name = |name: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find_map(|(other, value)| (other == name).then_some(value));
        found.unwrap_or_else(|| panic!("{name}: {query}"))
    };
    assert_eq!(of_name("client_id"), "databricks-gateway-browser");
    assert_eq!(of_name("code_challenge_method"), "S256");
    format!("/oauth2/callback?code=c-1&state={}", of_name("state"))
}

/// A gateway whose issuer gives people in a browser the token of a member of this group.
fn gateway_for(group: &str) -> Gateway {
    let gateway = Gateway::start_for_browsers();
    let token = gateway::token_of(group);
    let client = "databricks-gateway-browser".to_owned();
    gateway.issuer.script().clients.insert(client, token);
    gateway
}

#[test]
fn a_person_signs_in_and_opens_pages() {
    let gateway = gateway_for("data-eng");
    let mut browser = Browser::new(&gateway);
    let page = browser.sign_in(PAGE);
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("ada@example.com"), "{}", page.body);
    // No script and no disk of the browser's gets to read the token.
    let kept = browser.cookies.get("BearerToken").expect("a session");
    assert!(!kept.contains("eyJ"), "{kept}");
    // The page's own requests are judged by the same session.
    assert_eq!(browser.request(JOB, "cors").status, 200);
    let seen = gateway.workspace.take();
    let call = seen.iter().find(|seen| seen.path == JOB).expect("the call");
    let values = |name: &str| -> Vec<&str> {
        let of_name = call.headers.iter().filter(|(other, _)| other == name);
        of_name.map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(values("cookie"), Vec::<&str>::new());
    assert_eq!(values("authorization"), ["Bearer databricks-1"]);

    assert_eq!(browser.open("/oauth2/signout").status, 302);
    assert_eq!(browser.cookies.get("BearerToken"), None);
    approve(&browser.open(PAGE));
    assert_eq!(browser.request(JOB, "cors").status, 401);
}

#[test]
fn a_session_opens_no_more_than_its_token() {
    let gateway = gateway_for("marketing");
    let mut browser = Browser::new(&gateway);
    assert_eq!(browser.sign_in(PAGE).status, 200);
    let refused = browser.open(JOB);
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(
        refused.body.contains("PERMISSION_DENIED"),
        "{}",
        refused.body
    );
}

#[test]
fn programs_are_answered_as_without_it() {
    let gateway = gateway_for("data-eng");
    let get = |headers: &[(&str, String)]| {
        let answer = gateway.client().get_with(JOB, headers);
        answer.expect("an answer")
    };
    let challenged = get(&[]);
    assert_eq!(challenged.status, 401);
    let challenge = challenged.values("www-authenticate").next();
    assert!(challenge.is_some_and(|challenge| challenge.starts_with("Bearer")));
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    assert_eq!(get(&[bearer(&gateway::token("data-eng"))]).status, 200);
    assert_eq!(get(&[bearer("forged")]).status, 401);
}

/// Another browser's state, and cookies that nobody here made.
#[test]
fn no_session_is_made_up() {
    let gateway = gateway_for("data-eng");
    let theirs = approve(&Browser::new(&gateway).open(PAGE));
    let mut browser = Browser::new(&gateway);
    assert_eq!(browser.open(&theirs).status, 401);
    browser.sign_in(PAGE);
    let hmac = browser.cookies.get_mut("OauthHMAC").expect("a signature");
    *hmac = "A".repeat(hmac.len());
    approve(&browser.open(PAGE));
    let token = gateway::token("data-eng");
    let cookies = [
        ("BearerToken", token),
        ("OauthExpires", "9999999999".to_owned()),
    ];
    browser.cookies = cookies.map(|(name, value)| (name.to_owned(), value)).into();
    approve(&browser.open(PAGE));
    assert_eq!(gateway.workspace.seen(), []);
}

/// But for the filter `oauth2` and the page to start from, the listener is the one without.
#[test]
fn the_listener_is_the_one_of_production() {
    let read = |name: &str| -> serde_json::Value {
        let path = wasm_tests::paths::root().join("envoy").join(name);
        serde_norway::from_str(&std::fs::read_to_string(path).expect("a file")).expect("YAML")
    };
    let mut ours = read("browser/listeners.yaml");
    let filters = "/resources/0/filter_chains/0/filters/0/typed_config/http_filters";
    let filters = ours
        .pointer_mut(filters)
        .and_then(|filters| filters.as_array_mut());
    let filters = filters.expect("filters");
    assert_eq!(filters.remove(0)["name"], "envoy.filters.http.oauth2");
    let policy = filters[0].pointer_mut("/typed_config/config/configuration/value");
    let policy = policy
        .and_then(|policy| policy.as_object_mut())
        .expect("a policy");
    assert!(policy.remove("self_service").is_some());
    assert_eq!(ours, read("production/listeners.yaml"));
}
