//! The host's log as the place where records go, and what becomes of decisions that would leave
//! none.
//!
//! A host says that it has written a line also where its log drops lines of that level, so whether
//! it takes them has to be looked up.

/// A level of the host's log, from the one that is dropped first to the one that is dropped last.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum LogLevel {
    /// What goes as it should.
    #[default]
    Info,
    /// What an operator should look at.
    Warn,
    /// What does not work.
    Error,
    /// After which nothing works.
    Critical,
}

impl LogLevel {
    /// Its name in configurations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}
