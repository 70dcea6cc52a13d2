//! What people's programs are made of, in front of a gateway that exchanges tokens: Databricks'
//! packages as they are published.

mod agent;
mod every_call;
mod gateway;
mod rest;
mod sql;
