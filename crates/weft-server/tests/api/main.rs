//! The HTTP API as its callers see it: a whole server in this process, on a free port, with a
//! clock that the tests turn.

#![allow(missing_docs, reason = "tests document themselves by their names")]

mod account;
mod account_links;
mod administration;
mod attacks;
mod audit;
mod codes;
mod content;
mod departures;
mod digests;
mod document;
mod frames;
mod handshakes;
mod hocuspocus;
mod hostile;
mod inbox;
mod invites;
mod links;
mod oidc;
mod openapi;
mod pages;
mod people;
mod pictures;
mod provider;
mod push;
mod quotas;
mod rooms;
mod security;
mod setup;
mod sign_ins;
mod smtp;
mod sockets;
mod spaces;
mod support;
mod tokens;
mod webhooks;
mod wire;
mod y_sweet;
mod yjs;
