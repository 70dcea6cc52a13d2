//! What every record of a token's requests says of it, written once.

use crate::line::{self, Value, name};

use super::AccessToken;

/// The members of a record that depend on the token alone.
pub(super) fn of(token: &AccessToken) -> Box<str> {
    let lifetime = token.lifetime().map(|lifetime| lifetime.as_secs());
    let actors = token.earlier_actors.iter().map(|actor| &**actor);
    let earlier_actors = (!token.earlier_actors.is_empty()).then(|| line::list(actors));
    let members = [
        (name!("issuer"), Value::Text(&token.issuer)),
        (name!("subject"), Value::nullable(token.subject.as_deref())),
        (name!("client"), Value::nullable(token.client.as_deref())),
        (name!("actor"), Value::optional(token.actor.as_deref())),
        (
            name!("earlier_actors"),
            earlier_actors.as_deref().map_or(Value::Absent, Value::Json),
        ),
        (
            name!("token_id"),
            Value::nullable(token.token_id.as_deref()),
        ),
        (
            name!("token_expires_at"),
            Value::Number(token.expires_at.seconds()),
        ),
        (
            name!("token_lifetime"),
            lifetime.map_or(Value::Absent, Value::Number),
        ),
        (
            name!("offline_access"),
            Value::where_true(token.offline_access),
        ),
    ];
    line::members(&members).into()
}
