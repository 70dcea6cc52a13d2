//! The commands and their arguments, and what becomes of what they say.

mod carrier;
mod cases;
mod catalogue;
mod check;
mod coverage;
mod explain;
mod file;
mod gateway;
mod log_level;
mod reason;
mod report;
mod stand_in;
mod style;
mod surroundings;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use databricks_oam_filter::config::schema;

/// What a Databricks OAM gateway will answer, before it is deployed.
///
/// Exit status: 0 for yes, 1 for no, 2 for usage or input that cannot be read.
#[derive(Parser)]
#[command(name = "oam", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tell everything that is wrong with a configuration, and with the gateway around it
    Check(Check),
    /// Judge one request, and tell why
    Explain(Explain),
    /// Run a policy's own test cases
    Test(Test),
    /// Print the JSON Schema of the configuration
    Schema,
    /// List the operations of the Databricks API, or search them
    Catalogue(Catalogue),
}

/// Arguments of `check`.
#[derive(Args)]
struct Check {
    /// Files with the configuration and the gateway around it, read together: JSON or YAML; an Envoy bootstrap, a `TrafficExtension`,
    /// `WasmPlugin`, `EnvoyFilter` or `EnvoyExtensionPolicy` and what belongs to it, or the configuration by itself; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Take what could not be checked for an error
    #[arg(long)]
    strict: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `explain`.
#[derive(Args)]
struct Explain {
    /// The configuration, as for `check`
    #[arg(long)]
    config: PathBuf,
    #[command(flatten)]
    proof: Proof,
    /// The issuer's JWK Set, where the configuration fetches it: a file for every such issuer, or one for each
    #[arg(long, value_name = "[ISSUER=]FILE")]
    jwks: Vec<String>,
    /// The moment of the request, as 2026-11-23T12:00:00Z; now, when absent
    #[arg(long, value_name = "RFC3339")]
    at: Option<String>,
    /// A further header of the request. With a `DPoP` header the token is shown as one that is bound to a key
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The body, where the request is for a token and its form is to be judged too
    #[arg(long, value_name = "FORM")]
    data: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The method, as GET
    method: String,
    /// The URL, or its path alone
    url: String,
}

/// What the caller shows.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Proof {
    /// The access token; `-` reads it from standard input, `@FILE` from a file, and neither shows it to other users of the machine
    #[arg(long)]
    token: Option<String>,
    /// A JSON file of a token's claims, `-` for standard input. No signature is checked then; `iss`, `aud`, `iat` and `exp` are filled in where absent
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// Nothing
    #[arg(long)]
    anonymous: bool,
}

/// Arguments of `test`.
#[derive(Args)]
struct Test {
    /// YAML or JSON files of cases
    #[arg(required = true, value_name = "CASES")]
    files: Vec<PathBuf>,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `catalogue`.
#[derive(Args)]
struct Catalogue {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Words that must all occur in the operation's line; `METHOD /path` finds what that request is
    search: Vec<String>,
}

/// What a command has to say, and whether that is a yes.
struct Said {
    text: String,
    yes: bool,
}

impl Said {
    const fn new(text: String, yes: bool) -> Self {
        Self { text, yes }
    }
}

/// Input that cannot be read, or be made sense of.
#[derive(Debug)]
struct Unreadable(String);

pub(crate) fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let said = match arguments.command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Test(arguments) => cases::run(&arguments),
        Command::Schema => Ok(Said::new(schema::text(), true)),
        Command::Catalogue(arguments) => Ok(catalogue::run(&arguments)),
    };
    match said {
        // A reader that has gone away has read enough.
        Ok(Said { text, yes }) => {
            let _ = anstream::stdout().write_all(text.as_bytes());
            if yes {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(NO)
            }
        }
        Err(Unreadable(text)) => {
            let _ = writeln!(anstream::stderr(), "oam: {text}");
            ExitCode::from(UNREADABLE)
        }
    }
}

/// What clap says about arguments quotes them, and one of them may be a token.
fn usage(error: &clap::Error) -> ExitCode {
    let text = file::without_tokens(&error.render().ansi().to_string());
    if error.use_stderr() {
        let _ = write!(anstream::stderr(), "{text}");
        return ExitCode::from(UNREADABLE);
    }
    let _ = write!(anstream::stdout(), "{text}");
    ExitCode::SUCCESS
}

const NO: u8 = 1;
const UNREADABLE: u8 = 2;
