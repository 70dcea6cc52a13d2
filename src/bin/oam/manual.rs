//! `oam completions` and `oam man`: what shells and `man` know of the commands, made from the
//! commands themselves.

use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Arguments, Said, Unreadable};

/// The completions of a shell.
pub(super) fn completions(shell: Shell) -> Said {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "oam", &mut script);
    Said::new(String::from_utf8_lossy(&script).into_owned(), true)
}

/// Writes a page for `oam` and one for each of its commands into a folder.
pub(super) fn pages(folder: &Path) -> Result<Said, Unreadable> {
    let unwritten = |error: std::io::Error| {
        Unreadable(format!("cannot write to `{}`: {error}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(unwritten)?;
    let whole = Arguments::command().disable_help_subcommand(true);
    clap_mangen::generate_to(whole, folder).map_err(unwritten)?;
    let mut pages: Vec<String> = std::fs::read_dir(folder)
        .map_err(unwritten)?
        .filter_map(|entry| Some(entry.ok()?.path().display().to_string()))
        .filter(|path| path.ends_with(".1"))
        .collect();
    pages.sort();
    Ok(Said::new(pages.join("\n") + "\n", true))
}
