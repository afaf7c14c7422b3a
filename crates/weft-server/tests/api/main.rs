//! The HTTP API as its callers see it: a whole server in this process, on a free port, with a
//! clock that the tests turn.

#![allow(missing_docs, reason = "tests document themselves by their names")]

mod codes;
mod invites;
mod pages;
mod people;
mod rooms;
mod setup;
mod sign_ins;
mod sockets;
mod support;
mod wire;
mod yjs;
