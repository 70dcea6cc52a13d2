//! Cookies of a request (RFC 6265 §5.4), and the tokens among them.
//!
//! No cookie goes upstream where a token is required. Sign-in pages and public paths need theirs,
//! but a token among them was verified by nobody, so it stays behind.

use super::{Headers, secret, stray};

/// The cookies of a request.
#[derive(Clone, Copy)]
pub struct Cookies<'a>(&'a Headers);

impl<'a> Cookies<'a> {
    /// Of a head.
    pub(super) const fn of(headers: &'a Headers) -> Self {
        Self(headers)
    }

    /// The cookies without those that hold a JWT of an issuer that is ours, as one header's value;
    /// `None` where none does.
    pub fn without_tokens(self, is_ours: impl Fn(&str) -> bool) -> Option<Box<str>> {
        let shows_ours = |text: &str| stray::issuers_in(text).iter().any(|known| is_ours(known));
        // Servers decode the escapes of a cookie.
        let holds_ours =
            |text: &str| shows_ours(text) || secret::unescaped(text).any(|text| shows_ours(&text));
        let sent = self.0.all(COOKIE).map(String::from_utf8_lossy);
        let sent: Vec<_> = sent.collect();
        if !sent.iter().any(|value| holds_ours(value)) {
            return None;
        }
        let pairs = sent.iter().flat_map(|value| value.split(';'));
        let kept: Vec<&str> = pairs
            .map(str::trim)
            .filter(|pair| !pair.is_empty() && !holds_ours(pair))
            .collect();
        // RFC 6265 §4.2.1: as browsers join them.
        Some(kept.join("; ").into())
    }
}

/// As requests carry them.
pub(crate) const COOKIE: &str = "cookie";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_our_issuers_stay_behind() {
        let ours = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2EuZXhhbXBsZSJ9.c2ln";
        let theirs = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJodHRwczovL2IuZXhhbXBsZSJ9.c2ln";
        let one = |pair: String| vec![pair];
        #[rustfmt::skip]
        let cases = [
            // name                sent                                                want
            ("none",               vec![],                                             None),
            ("a session",          one("session=abc; theme=dark".into()),              None),
            ("another's token",    one(format!("session=abc; id={theirs}")),           None),
            ("a token alone",      one(format!("BearerToken={ours}")),                 Some("")),
            ("quoted",             one(format!("a=b; t=\"{ours}\"; c=d")),           Some("a=b; c=d")),
            ("in the midst",       one(format!("a=b;t=x|{ours}|y;c=d;")),              Some("a=b; c=d")),
            ("escaped",            one(format!("a=%20b; t={}", ours.replace('.', "%2e"))), Some("a=%20b")),
            ("escaped twice",      one(format!("t=%2565{}; c=d", ours.trim_start_matches('e'))),         Some("c=d")),
            ("another's, escaped", one(theirs.replace('.', "%2E")),                    None),
            ("in a second header", vec!["a=b".into(), format!("t={ours}; c=d")],       Some("a=b; c=d")),
        ];
        for (name, sent, want) in cases {
            let pairs = sent.into_iter();
            let pairs = pairs.map(|value: String| (COOKIE.to_owned(), value.into_bytes()));
            let headers = Headers::new(pairs.collect());
            let kept = Cookies::of(&headers).without_tokens(|issuer| issuer == "https://a.example");
            assert_eq!(kept.as_deref(), want, "{name}");
        }
    }
}
