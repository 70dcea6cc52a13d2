//! The token module through its public face: borrowed vectors, our own signatures, and arbitrary
//! bytes.

#[cfg(test)]
mod engine;
#[cfg(test)]
mod jose_vectors;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod tampering;
