//! Grants that take tokens: whose tokens a token endpoint documents that it takes, and in which
//! field.

use super::Form;
use crate::request::Headers;

impl Form<'_> {
    /// Whether the token endpoint documents that it takes tokens of other issuers than its own in
    /// this field of this form.
    ///
    /// Databricks: the identity provider's JWT of a token exchange (token federation), and the
    /// token to narrow of a JWT bearer grant. Entra, which Databricks sends clients to, besides: a
    /// client's own assertion (RFC 7523 §2.2).
    pub fn takes_tokens_in(&self, field: &str, headers: &Headers) -> bool {
        let is = |name: &str, value: &str| self.field(name) == Some(value);
        match field {
            "subject_token" => {
                is("grant_type", TOKEN_EXCHANGE) && is("subject_token_type", JWT_TYPE)
            }
            "assertion" => is("grant_type", JWT_BEARER),
            "client_assertion" => {
                is("client_assertion_type", CLIENT_ASSERTION_TYPE) && goes_to_entra(headers)
            }
            _ => false,
        }
    }

    /// Whether the form asks to narrow a token that it shows as assertion.
    pub fn narrows(&self) -> bool {
        self.field("grant_type") == Some(JWT_BEARER)
    }

    /// The token that a form asks to exchange for an access token of the same person, and nothing
    /// more. `assume_group` is the group that it may name.
    pub fn exchanged(&self, assume_group: Option<&str>) -> Option<&str> {
        let type_is =
            |name: &str, types: &[&str]| self.field(name).map(|kind| types.contains(&kind));
        let is_exchange = self.field("grant_type") == Some(TOKEN_EXCHANGE)
            && type_is("subject_token_type", &TOKEN_TYPES) == Some(true)
            && type_is("requested_token_type", &TOKEN_TYPES) != Some(false)
            && self.field("actor_token").is_none()
            && self
                .field("assume_group")
                .is_none_or(|group| Some(group) == assume_group);
        self.field("subject_token").filter(|_| is_exchange)
    }
}

/// Where Databricks on Azure sends clients on to Entra.
fn goes_to_entra(headers: &Headers) -> bool {
    let target = headers.first(":path").unwrap_or_default();
    super::begins(target, b"/oidc/oauth2/")
}

/// RFC 8693 §2.1.
pub const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// RFC 7523 §2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// RFC 7523 §2.2.
const CLIENT_ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// RFC 8693 §3.
pub const JWT_TYPE: &str = "urn:ietf:params:oauth:token-type:jwt";

/// RFC 8693 §3: the types of what is an access token and a JWT.
const TOKEN_TYPES: [&str; 2] = [JWT_TYPE, "urn:ietf:params:oauth:token-type:access_token"];

#[cfg(test)]
mod tests {
    use super::*;

    fn head(path: &str) -> Headers {
        let pair = |name: &str, value: &str| (name.to_owned(), value.as_bytes().to_vec());
        Headers::new(vec![
            pair(":path", path),
            pair("content-type", "application/x-www-form-urlencoded"),
        ])
    }

    const EXCHANGE: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange";
    const TYPE: &str = "subject_token_type=urn:ietf:params:oauth:token-type";

    #[test]
    fn other_issuers_tokens_are_taken_where_that_is_documented() {
        let asserted = format!("grant_type={JWT_BEARER}&assertion=t");
        let of_client = format!("client_assertion=t&client_assertion_type={CLIENT_ASSERTION_TYPE}");
        let (own, entra) = ("/oidc/v1/token", "/OIDC/oauth2/v2.0/token");
        #[rustfmt::skip]
        let cases = [
            // name                     path   field               form
            // want
            ("a federated token",       own,   "subject_token",    format!("{EXCHANGE}&{TYPE}:jwt"),                true),
            ("of another type",         own,   "subject_token",    format!("{EXCHANGE}&{TYPE}:id_token"),           false),
            ("of no type",              own,   "subject_token",    EXCHANGE.to_owned(),                             false),
            ("of another grant",        own,   "subject_token",    format!("grant_type=password&{TYPE}:jwt"),       false),
            ("an actor's",              own,   "actor_token",      format!("{EXCHANGE}&{TYPE}:jwt"),                false),
            ("a token to narrow",       own,   "assertion",        asserted.clone(),                                true),
            ("an assertion alone",      own,   "assertion",        "assertion=t".to_owned(),                        false),
            ("a client's, at Entra",    entra, "client_assertion", of_client.clone(),                               true),
            ("a client's, at Databricks", own, "client_assertion", of_client,                                       false),
            ("a client's, of no type",  entra, "client_assertion", "client_assertion=t".to_owned(),                 false),
            ("a code",                  own,   "code",             "grant_type=authorization_code".to_owned(),      false),
            ("anything else",           entra, "x",                asserted,                                        false),
        ];
        for (name, path, field, form, want) in cases {
            let head = head(path);
            let form = Form::parse(&head, form.as_bytes()).ok().unwrap();
            assert_eq!(form.takes_tokens_in(field, &head), want, "{name}");
        }
    }

    #[test]
    fn an_exchange_asks_for_a_token_of_the_same_person() {
        let form = format!("{EXCHANGE}&subject_token=t&{TYPE}:jwt");
        let to = "requested_token_type=urn:ietf:params:oauth:token-type";
        let back = "return_original_token_if_authenticated=true";
        #[rustfmt::skip]
        let cases = [
            // name                     form                                                 want
            ("an SDK's",                form.clone(),                                        Some("t")),
            ("a SQL driver's",          format!("{form}&scope=sql&{back}"),                  Some("t")),
            ("a workload's",            format!("{form}&client_id=sp"),                      Some("t")),
            ("of an access token",      form.replace(":jwt", ":access_token"),               Some("t")),
            ("for an access token",     format!("{form}&{to}:access_token"),                 Some("t")),
            ("for a refresh token",     format!("{form}&{to}:refresh_token"),                None),
            ("for the configured group", format!("{form}&assume_group=42"),                  Some("t")),
            ("for another group",       format!("{form}&assume_group=1"),                    None),
            ("on behalf of an actor",   format!("{form}&actor_token="),                      None),
            ("of a static token",       form.replace("ietf:params:oauth:token-type:jwt", "x"), None),
            ("of no type",              format!("{EXCHANGE}&subject_token=t"),               None),
            ("another grant",           form.replace("token-exchange", "jwt-bearer"),        None),
            ("nothing",                 String::new(),                                       None),
        ];
        for (name, form, want) in cases {
            let form = Form::parse(&head("/oidc/v1/token"), form.as_bytes());
            assert_eq!(form.ok().unwrap().exchanged(Some("42")), want, "{name}");
        }
    }
}
