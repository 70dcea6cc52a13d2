//! Tokens of the four issuers, valid and not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use databricks_oam_filter::request::Headers;
use serde_json::{Value, json};

use crate::keys::thumbprint_byte;
use crate::{START, issuer};

/// A token, its times counted from the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) issuer: usize,
    pub(crate) key: usize,
    pub(crate) kid: Kid,
    pub(crate) exp: i64,
    pub(crate) nbf: Option<i64>,
    pub(crate) iat: Option<i64>,
    pub(crate) audience: &'static str,
    pub(crate) flaw: Flaw,
}

/// What is wrong with a token besides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    NoExpiry,
    None,
    Scope,
    Type,
}

/// Which key ID a token names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kid {
    None,
    Own,
    Shared,
}

impl Token {
    pub(crate) fn new(issuer: usize, key: usize) -> Self {
        Self {
            issuer,
            key,
            kid: Kid::Own,
            exp: 1200,
            nbf: None,
            iat: Some(-10),
            audience: "db",
            flaw: Flaw::None,
        }
    }

    pub(crate) fn headers(&self) -> Headers {
        let at = |offset: i64| START.checked_add_signed(offset);
        let kid = match self.kid {
            Kid::None => Value::Null,
            Kid::Own => json!(format!("k{}", self.key)),
            Kid::Shared => json!("shared"),
        };
        let mut header = json!({ "alg": "EdDSA" });
        if !kid.is_null() {
            header["kid"] = kid;
        }
        let mut claims = json!({ "iss": issuer(self.issuer), "aud": self.audience, "exp": at(self.exp), "scope": "jobs" });
        match self.flaw {
            Flaw::NoExpiry => claims["exp"] = Value::Null,
            Flaw::None => {}
            Flaw::Scope => claims["scope"] = json!(5),
            Flaw::Type => header["typ"] = json!("dpop+jwt"),
        }
        for (name, offset) in [("nbf", self.nbf), ("iat", self.iat)] {
            if let Some(offset) = offset {
                claims[name] = json!(at(offset));
            }
        }
        let mut signature = [9; 64];
        signature[0] = thumbprint_byte(self.key);
        let parts = [
            header.to_string().into_bytes(),
            claims.to_string().into_bytes(),
            signature.to_vec(),
        ];
        let token = parts.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
        let pairs = [
            (":method", "GET".to_owned()),
            (":path", "/api/2.2/jobs/get".to_owned()),
            (":authority", "db.example".to_owned()),
            ("authorization", format!("Bearer {token}")),
        ];
        Headers::new(
            pairs
                .map(|(name, value)| (name.to_owned(), value.into_bytes()))
                .into(),
        )
    }
}
