//! The commands and their arguments, and what becomes of what they say.

mod carrier;
mod cases;
mod catalogue;
mod check;
mod coverage;
mod diff;
mod doubtful;
mod explain;
mod file;
mod gateway;
mod init;
mod junit;
mod log_level;
mod manual;
mod permissions;
mod reason;
mod record_schema;
mod recorded;
mod records;
mod report;
mod stand_in;
mod style;
mod suggest;
mod suggestion;
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
    /// Report everything that is wrong with a configuration, and with the gateway around it
    Check(Check),
    /// Decide one request, and explain why
    Explain(Explain),
    /// Run a policy's own test cases
    Test(Test),
    /// Print the JSON Schema of the configuration
    Schema(Schema),
    /// List the operations of the Databricks API, or search them
    Catalogue(Catalogue),
    /// List what a caller may do, and what is missing for the rest
    Permissions(Permissions),
    /// Report what changes for whom between two configurations
    Diff(Diff),
    /// Narrow the grants of roles to what records show to be used
    Suggest(Suggest),
    /// Report what audit records show: static tokens, refusals, unused grants, missing records
    Report(report::ReportArguments),
    /// Write a complete set of files for a new gateway
    Init(Init),
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write manual pages into a folder
    Man {
        /// The folder
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// Arguments of `schema`.
#[derive(Args)]
struct Schema {
    /// Print the one of audit records instead
    #[arg(long)]
    record: bool,
    /// Print the one of `oam report --json` instead
    #[arg(long, conflicts_with = "record")]
    report: bool,
}

impl Schema {
    fn text(&self) -> String {
        match (self.record, self.report) {
            (true, _) => record_schema::text(),
            (false, true) => report::schema(),
            (false, false) => schema::text(),
        }
    }
}

/// Arguments of `permissions`.
#[derive(Args)]
struct Permissions {
    /// The configuration, as for `check`; of several in a file, `FILE#2` is the second
    #[arg(long)]
    config: PathBuf,
    #[command(flatten)]
    proof: Proof,
    /// The issuer's JWK Set, where the configuration fetches it: a file for every such issuer, or
    /// one for each
    #[arg(long, value_name = "[ISSUER=]FILE")]
    jwks: Vec<String>,
    /// The workspace that the calls are for; the configuration's first, when absent
    #[arg(long, value_name = "ID")]
    workspace: Option<String>,
    /// The moment, as 2026-11-23T12:00:00Z; now, when absent
    #[arg(long, value_name = "RFC3339")]
    at: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `diff`.
#[derive(Args)]
struct Diff {
    /// The configuration as it is, as for `check`; of several in a file, `FILE#2` is the second
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The configuration as it would be
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Audit records whose calls are decided by both as well; may be given again
    #[arg(long, value_name = "FILE")]
    records: Vec<PathBuf>,
    /// Exit with 1 where there is such a difference
    #[arg(long, value_name = "WHAT")]
    fail_on: Option<diff::FailOn>,
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print Markdown, for a comment on a pull request
    #[arg(long)]
    markdown: bool,
}

/// Arguments of `suggest`.
#[derive(Args)]
struct Suggest {
    /// The configuration, as for `check`; of several in a file, `FILE#2` is the second
    #[arg(long)]
    config: PathBuf,
    /// How many days count, to the latest record
    #[arg(long, default_value_t = 90)]
    days: u64,
    /// Print JSON: the plugin configuration, what became of each grant, and the notes
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    sources: records::Sources,
}

/// Arguments of `init`.
#[derive(Args)]
struct Init {
    /// The identity provider, by the name of its preset
    #[arg(long, value_name = "PRESET")]
    idp: String,
    /// The `iss` of its tokens, to the letter
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// The `aud` of its tokens for Databricks
    #[arg(long, value_name = "A")]
    audience: String,
    /// The workspace's own host, as dbc-a1b2c3d4-e5f6.cloud.databricks.com
    #[arg(long)]
    host: String,
    /// The name by which clients reach the gateway
    #[arg(long, value_name = "NAME", default_value = "databricks.example.com")]
    name: String,
    /// Where the gateway runs
    #[arg(long = "for", value_name = "PLATFORM", default_value = "envoy")]
    platform: init::Platform,
    /// The folder to write to; nothing in it is written over
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// Arguments of `check`.
#[derive(Args)]
struct Check {
    /// Files with the configuration and the gateway around it, read together: JSON or YAML; an
    /// Envoy bootstrap, a `TrafficExtension`, `WasmPlugin`, `EnvoyFilter` or `EnvoyExtensionPolicy`
    /// and what belongs to it, or the configuration by itself; `-` is standard input
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
    /// The configuration, as for `check`; of several in a file, `FILE#2` is the second
    #[arg(long)]
    config: PathBuf,
    #[command(flatten)]
    proof: Proof,
    /// The issuer's JWK Set, where the configuration fetches it: a file for every such issuer, or
    /// one for each
    #[arg(long, value_name = "[ISSUER=]FILE")]
    jwks: Vec<String>,
    /// The moment of the request, as 2026-11-23T12:00:00Z; now, when absent
    #[arg(long, value_name = "RFC3339")]
    at: Option<String>,
    /// A further header of the request. With a `DPoP` header the token is shown as one that is
    /// bound to a key
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The body, where the request is for a token and its form is to be judged too
    #[arg(long, value_name = "FORM")]
    data: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// The method, as GET; the record's, when absent
    #[arg(required_unless_present = "record")]
    method: Option<String>,
    /// The URL, or its path alone; the record's, when absent
    #[arg(required_unless_present = "record")]
    url: Option<String>,
}

/// What the caller shows.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Proof {
    /// The access token; `-` reads it from standard input, `@FILE` from a file, and neither shows
    /// it to other users of the machine
    #[arg(long)]
    token: Option<String>,
    /// A JSON file of a token's claims, `-` for standard input. No signature is checked then;
    /// `iss`, `aud`, `iat` and `exp` are filled in where absent
    #[arg(long, value_name = "FILE")]
    claims: Option<PathBuf>,
    /// The first audit record of a file, `-` for standard input: its request and its caller, as far
    /// as it names them
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
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
        Command::Schema(arguments) => Ok(Said::new(arguments.text(), true)),
        Command::Catalogue(arguments) => Ok(catalogue::run(&arguments)),
        Command::Permissions(arguments) => permissions::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Suggest(arguments) => suggest::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Completions { shell } => Ok(manual::completions(shell)),
        Command::Man { folder } => manual::pages(&folder),
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
