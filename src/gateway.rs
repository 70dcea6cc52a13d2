//! What turns decisions into traffic, as far as it needs no host.

pub mod waiting;
