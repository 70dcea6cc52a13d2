//! The exchange that SQL drivers ask for by themselves, of whatever host they connect to.
//!
//! They compare the host in their token's `iss` with their own server's name. Before a gateway the two always differ, so they post an
//! exchange to the gateway's `/oidc/v1/token`, with `return_original_token_if_authenticated=true`, and use what they get. Where the gateway
//! exchanges, their own token is the one to use with it: Databricks' would be another issuer's, of narrower scope and without the groups
//! that roles are made of.

use std::time::Duration;

use crate::request::Headers;
use crate::request::form::Form;

use super::terms::{GRANT_TYPE, SUBJECT_TOKEN_TYPE};

/// The token that a request asks to be given back if it is good here. Anything else is between the client and Databricks.
pub fn subject<'f>(headers: &Headers, form: &'f Form<'_>) -> Option<&'f str> {
    let asked = headers.first(":path") == Some(b"/oidc/v1/token")
        && form.field("grant_type") == Some(GRANT_TYPE)
        && form.field("subject_token_type") == Some(SUBJECT_TOKEN_TYPE)
        && form.field("return_original_token_if_authenticated") == Some("true");
    form.field("subject_token").filter(|_| asked)
}

/// The request by which it shows whether a token is good here: one that every sound token may make.
pub fn probe(subject: &str, headers: &Headers) -> Headers {
    let pair = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
    let mut pairs = vec![
        pair(":method", b"GET"),
        pair(":path", b"/api/2.0/preview/scim/v2/Me"),
        pair("authorization", format!("Bearer {subject}").as_bytes()),
    ];
    let authority = headers.first(":authority");
    pairs.extend(authority.map(|authority| pair(":authority", authority)));
    Headers::new(pairs)
}

/// The answer that gives a sound token back: whatever is one needs no escaping.
pub fn answer(subject: &str, lifetime: Duration) -> String {
    let expires_in = lifetime.as_secs();
    format!(
        r#"{{"access_token":"{subject}","issued_token_type":"{SUBJECT_TOKEN_TYPE}","token_type":"Bearer","expires_in":{expires_in}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_asks_for_its_own_token_back_is_read() {
        let asks = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=e30.e30.c2ln\
                    &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&scope=sql";
        let back = "return_original_token_if_authenticated=true";
        let personal = asks.replace("oauth%3Atoken-type%3Ajwt", "x%3Apersonal-access-token");
        let want = Some("e30.e30.c2ln");
        #[rustfmt::skip]
        let cases = [
            // name                  form                                                  want
            ("the drivers'",         format!("{asks}&{back}"),                             want),
            ("for a workload",       format!("{asks}&{back}&client_id=sp"),                want),
            ("an SDK's",             asks.to_owned(),                                      None),
            ("back is not wanted",   format!("{asks}&{back}").replace("=true", "=false"),  None),
            ("a static token",       format!("{personal}&{back}"),                         None),
            ("signing in",           format!("grant_type=authorization_code&code=x&{back}"), None),
            ("nothing",              String::new(),                                        None),
        ];
        let head = |path: &[u8]| {
            let pair = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
            Headers::new(vec![
                pair(":method", b"POST"),
                pair(":path", path),
                pair("content-type", b"application/x-www-form-urlencoded"),
            ])
        };
        let of = |path: &[u8], form: &str| {
            let head = head(path);
            let form = Form::parse(&head, form.as_bytes()).ok().unwrap();
            subject(&head, &form).map(ToOwned::to_owned)
        };
        for (name, form, want) in cases {
            assert_eq!(of(b"/oidc/v1/token", &form).as_deref(), want, "{name}");
        }
        let of_account = of(b"/oidc/accounts/a/v1/token", &format!("{asks}&{back}"));
        assert_eq!(of_account, None, "the account's own");
    }

    #[test]
    fn the_answer_is_what_drivers_read() {
        let want = r#"{"access_token":"e30.e30.c2ln","issued_token_type":"urn:ietf:params:oauth:token-type:jwt","token_type":"Bearer","expires_in":60}"#;
        assert_eq!(answer("e30.e30.c2ln", Duration::from_millis(60_900)), want);
    }
}
