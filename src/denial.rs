//! Every reason to refuse a request: its status, its OAuth error, and its stable names.

use std::fmt;

use crate::exchange::Refusal;
use crate::issuer::invalid_token::InvalidToken;
use crate::policy::workspace::WorkspaceError;
use crate::request::RequestError;
use crate::request::credential::CredentialKind;
use crate::request::dpop::InvalidProof;
use crate::request::form::FormError;

/// Why a request does not go upstream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Denial {
    /// Its client left while it waited.
    Abandoned,
    /// A percent-escape stands where it could be read as another path.
    AmbiguousPath,
    /// The host does not say the time, which token validation needs.
    ClockUnavailable,
    /// A deny rule applies.
    DeniedByRule,
    /// The caller's token was not exchanged for one of Databricks' own.
    Exchange(Refusal),
    /// A token in a form, which no other token endpoint is shown, because the gateway exchanges it
    /// itself.
    ExchangedHere,
    /// The caller holds too little.
    InsufficientScope,
    /// The same, answered to a client of the gateway's token endpoint (RFC 6749 §5.2).
    InvalidGrant(Box<Denial>),
    /// The bearer token is not a valid access token.
    InvalidToken(InvalidToken),
    /// The keys of the one issuer that could have signed the token are not to be had.
    KeysUnavailable,
    /// Nothing proves who is calling.
    MissingCredentials,
    /// The caller holds none of the configured roles.
    NoRole,
    /// No room is left to remember the proof that came, so that it could be taken twice.
    ProofsUnremembered,
    /// The decision would leave no record.
    RecordUnavailable,
    /// The head of the request is malformed or ambiguous.
    Request(RequestError),
    /// The token grants enough, and the roles that its bearer holds do not.
    RoleLacksScope,
    /// The list of what is withdrawn has grown too old to judge by.
    StaleWithdrawals,
    /// An observed credential on a call that the policy refuses to everybody, for this reason.
    /// Nobody knows who sent it, so what the sender reads is about the credential alone.
    Unidentified(CredentialKind, Forbidden),
    /// Neither a rule nor the catalogue knows the request.
    Unmatched,
    /// Rules for single MCP calls apply, and which call it is nobody could believe.
    McpHeadersRequired,
    /// The host does not let the request be made what may go upstream.
    Unprepared,
    /// A credential other than an OAuth access token.
    UnsupportedCredential(CredentialKind),
    /// The workspace is unknown, or is none of ours.
    Workspace(WorkspaceError),
    /// The caller's roles do not hold in this workspace.
    WorkspaceNotGranted,
}

/// Why the policy refuses a call to everybody.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Forbidden {
    /// A deny rule applies.
    ByRule,
    /// Its host is that of no configured workspace.
    UnknownWorkspace,
    /// Neither a rule nor the catalogue knows it.
    Unmatched,
}

/// The kinds of refusal that callers distinguish (RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// 403: no token would help, or none that we could name.
    Forbidden,
    /// 403 with the scope to request.
    InsufficientScope,
    /// 500: the host did not do its part.
    Internal,
    /// 400 in the form of a token endpoint's answer.
    InvalidGrant,
    /// 400.
    InvalidRequest,
    /// 401 for a token that was refused.
    InvalidToken,
    /// 401 for no token at all.
    MissingCredentials,
    /// 408: the request did not come as a whole.
    RequestTimeout,
    /// 503: trying again later may help.
    Unavailable,
}

impl Denial {
    /// The reason itself, in whichever form it is answered.
    pub fn cause(&self) -> &Self {
        if let Self::InvalidGrant(cause) = self {
            cause.cause()
        } else {
            self
        }
    }

    /// What kind of refusal it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::DeniedByRule
            | Self::Exchange(Refusal::Refused(_))
            | Self::ExchangedHere
            | Self::NoRole
            | Self::RoleLacksScope
            | Self::Unmatched
            | Self::Workspace(WorkspaceError::Unknown)
            | Self::WorkspaceNotGranted => Kind::Forbidden,
            Self::InsufficientScope => Kind::InsufficientScope,
            Self::ClockUnavailable
            | Self::Exchange(Refusal::Unavailable)
            | Self::KeysUnavailable
            | Self::ProofsUnremembered
            | Self::RecordUnavailable
            | Self::Request(RequestError::Form(FormError::NoRoom))
            | Self::StaleWithdrawals => Kind::Unavailable,
            Self::InvalidGrant(_) => Kind::InvalidGrant,
            Self::Abandoned | Self::Request(RequestError::Form(FormError::Late)) => {
                Kind::RequestTimeout
            }
            Self::Request(RequestError::NoMethod) | Self::Unprepared => Kind::Internal,
            Self::AmbiguousPath
            | Self::Workspace(WorkspaceError::Conflict)
            | Self::Request(_)
            | Self::McpHeadersRequired => Kind::InvalidRequest,
            // RFC 6750 §3.1: an unsupported method of authentication counts as no credentials.
            Self::MissingCredentials
            | Self::UnsupportedCredential(CredentialKind::Basic | CredentialKind::UnknownScheme)
            | Self::Unidentified(CredentialKind::Basic | CredentialKind::UnknownScheme, _) => {
                Kind::MissingCredentials
            }
            Self::InvalidToken(_) | Self::UnsupportedCredential(_) | Self::Unidentified(..) => {
                Kind::InvalidToken
            }
        }
    }

    /// The stable name of the reason in audit records.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::AmbiguousPath => "ambiguous_path",
            Self::ClockUnavailable => "clock_unavailable",
            Self::DeniedByRule | Self::Unidentified(_, Forbidden::ByRule) => "denied_by_rule",
            Self::Exchange(Refusal::Refused(_)) => "exchange_refused",
            Self::Exchange(Refusal::Unavailable) => "exchange_unavailable",
            Self::ExchangedHere => "exchanged_by_gateway",
            Self::InvalidGrant(cause) => cause.code(),
            Self::NoRole => "no_role",
            Self::InsufficientScope => "insufficient_scope",
            Self::InvalidToken(reason) => reason.code(),
            Self::KeysUnavailable => "keys_unavailable",
            Self::MissingCredentials => "missing_credentials",
            Self::ProofsUnremembered => "dpop_memory_full",
            Self::RecordUnavailable => "record_unavailable",
            Self::Request(error) => error.code(),
            Self::RoleLacksScope => "role_lacks_scope",
            Self::StaleWithdrawals => "withdrawal_list_stale",
            Self::Unmatched | Self::Unidentified(_, Forbidden::Unmatched) => "unmatched",
            Self::Unprepared => "request_not_prepared",
            Self::McpHeadersRequired => "mcp_headers_required",
            Self::UnsupportedCredential(kind) => refused(*kind),
            Self::Workspace(WorkspaceError::Conflict) => "conflicting_workspace",
            Self::Unidentified(_, Forbidden::UnknownWorkspace)
            | Self::Workspace(WorkspaceError::Unknown) => "unknown_workspace",
            Self::WorkspaceNotGranted => "workspace_not_granted",
        }
    }

    /// The stable name of the reason towards the caller.
    ///
    /// The same as [`Denial::code`], but for a token: which check it failed is for the record
    /// alone.
    pub const fn public_code(&self) -> &'static str {
        match self {
            Self::InvalidToken(InvalidToken::Expired) => "token_expired",
            Self::InvalidToken(InvalidToken::Proof(_)) => INVALID_PROOF,
            Self::InvalidToken(_) => "invalid_token",
            Self::InvalidGrant(cause) => cause.public_code(),
            Self::Unidentified(kind, _) => refused(*kind),
            Self::Abandoned
            | Self::AmbiguousPath
            | Self::ClockUnavailable
            | Self::DeniedByRule
            | Self::Exchange(_)
            | Self::ExchangedHere
            | Self::InsufficientScope
            | Self::KeysUnavailable
            | Self::MissingCredentials
            | Self::NoRole
            | Self::ProofsUnremembered
            | Self::RecordUnavailable
            | Self::Request(_)
            | Self::RoleLacksScope
            | Self::StaleWithdrawals
            | Self::Unmatched
            | Self::Unprepared
            | Self::McpHeadersRequired
            | Self::UnsupportedCredential(_)
            | Self::Workspace(_)
            | Self::WorkspaceNotGranted => self.code(),
        }
    }
}

/// The message for people, and what they can do wherever they get it. Ends in a full stop,
/// since more may follow: what an answer knows of the configuration and of the call.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Abandoned => "The client left before the request could be judged.",
            Self::AmbiguousPath => "The path holds a percent-escape that could be read as another path: send the plain characters.",
            Self::ClockUnavailable => {
                "The gateway cannot tell the time at the moment. The token was not judged; send the request again."
            }
            Self::DeniedByRule => "A rule of this gateway denies this call, whoever makes it.",
            Self::Exchange(Refusal::Refused(_)) => {
                "Databricks does not take your identity provider's token: it must know you by that name, and a federation policy must accept the token's issuer and audience."
            }
            Self::Exchange(Refusal::Unavailable) => {
                "Databricks' token endpoint cannot be reached at the moment. The call was permitted; send the request again."
            }
            Self::ExchangedHere => {
                "This gateway exchanges tokens itself: send the access token of your identity provider as `Authorization: Bearer <token>`, or as the `subject_token` of a token exchange, alone and of type `urn:ietf:params:oauth:token-type:jwt`."
            }
            Self::InvalidGrant(cause) => return write!(f, "{cause}"),
            Self::NoRole => "You hold none of the roles that this gateway knows.",
            Self::InsufficientScope => "The access token does not grant what this call needs.",
            // Its signature holds, so whoever has it may know what its issuer is to mend.
            Self::InvalidToken(InvalidToken::Claims(error)) => {
                return write!(f, "The access token was refused, because {error}: tell whoever runs your identity provider.");
            }
            Self::InvalidToken(reason) => reason.hint(),
            Self::KeysUnavailable => {
                "The keys of the token's issuer cannot be had at the moment. The token was not judged; send the request again."
            }
            Self::MissingCredentials => {
                "No credentials were sent: send an OAuth access token of your identity provider as `Authorization: Bearer <token>`."
            }
            Self::ProofsUnremembered => {
                "The gateway cannot remember more DPoP proofs at the moment. Send the request again, with a new proof."
            }
            Self::RecordUnavailable => {
                "The gateway cannot record what it decides at the moment, so it lets nothing pass. Tell whoever runs it, and send the request again later."
            }
            Self::Request(RequestError::NoMethod) => "The gateway could not read the request.",
            Self::Request(error) => return write!(f, "Refused: {error}."),
            Self::RoleLacksScope => "The access token grants what this call needs, and your roles do not.",
            Self::StaleWithdrawals => {
                "The gateway cannot learn which tokens are withdrawn at the moment. The token was not judged; send the request again."
            }
            Self::Unmatched => "This gateway knows no Databricks operation by this method and path.",
            Self::Unprepared => "This gateway could not prepare the request.",
            Self::McpHeadersRequired => {
                "Rules of this gateway tell MCP calls apart here: send MCP-Protocol-Version 2026-07-28 or newer, Mcp-Method and Mcp-Name, each once and unencoded."
            }
            Self::Unidentified(kind, _) | Self::UnsupportedCredential(kind) => unaccepted(*kind),
            Self::Workspace(WorkspaceError::Conflict) => {
                "The request selects another workspace than the one that its host serves: leave the selector out, or use the other host."
            }
            Self::Workspace(WorkspaceError::Unknown) => "No workspace is served under this host.",
            Self::WorkspaceNotGranted => "Your roles do not hold in this workspace.",
        })
    }
}

/// The stable name of the refusal of a credential.
const fn refused(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Basic => "basic_refused",
        CredentialKind::DeltaSharingRecipient => "delta_sharing_recipient_refused",
        CredentialKind::Jwt => "jwt_in_basic_refused",
        CredentialKind::OauthSecret => "oauth_secret_refused",
        CredentialKind::PersonalAccessToken => "personal_access_token_refused",
        CredentialKind::RefreshToken => "refresh_token_refused",
        CredentialKind::None | CredentialKind::Opaque | CredentialKind::UnknownScheme => {
            "credential_refused"
        }
    }
}

/// What is wrong with a credential of this kind.
const fn unaccepted(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::PersonalAccessToken => "Personal access tokens are not accepted here.",
        CredentialKind::Basic => "User names and passwords are not accepted here.",
        CredentialKind::DeltaSharingRecipient => {
            "Bearer tokens of Delta Sharing recipients are not accepted here: ask the share's provider for sign-in by OIDC federation."
        }
        CredentialKind::Jwt => {
            "An access token was sent as a Basic credential: send it as `Authorization: Bearer <token>`."
        }
        CredentialKind::OauthSecret => {
            "An OAuth secret was sent as a credential and counts as leaked now: revoke it. It is for the token endpoint alone; what that returns goes into `Authorization: Bearer <token>`."
        }
        CredentialKind::RefreshToken => {
            "A refresh token was sent as a credential and counts as leaked now: revoke it."
        }
        CredentialKind::None | CredentialKind::Opaque | CredentialKind::UnknownScheme => {
            "This kind of credential is not accepted here."
        }
    }
}

/// RFC 9449 §7.1, and the one reason that callers get.
pub const INVALID_PROOF: &str = "invalid_dpop_proof";

impl From<RequestError> for Denial {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl From<InvalidProof> for Denial {
    fn from(fault: InvalidProof) -> Self {
        Self::InvalidToken(InvalidToken::Proof(fault))
    }
}

impl From<InvalidToken> for Denial {
    fn from(reason: InvalidToken) -> Self {
        Self::InvalidToken(reason)
    }
}

impl From<WorkspaceError> for Denial {
    fn from(error: WorkspaceError) -> Self {
        Self::Workspace(error)
    }
}
