//! How a request becomes a socket: the opening handshake of RFC 6455, section 4.2.
//!
//! The connection's own stream is taken out of the HTTP library's hands, so that nothing stands
//! between a socket and what is written to it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::FromRequestParts,
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
            SEC_WEBSOCKET_VERSION, UPGRADE,
        },
        request::Parts,
    },
    response::Response,
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tungstenite::handshake::derive_accept_key;

use super::socket::Socket;
use crate::{
    config::Limits,
    http::ApiError,
    outbox::{Manner, Outbox},
    serve::Counted,
};

/// A request that asks for a socket.
pub struct Handshake {
    accept_key: HeaderValue,
    subprotocols: Vec<HeaderValue>,
    upgrade: OnUpgrade,
}

impl<S: Sync> FromRequestParts<S> for Handshake {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let bad = |field, reason| ApiError::BadRequest { field, reason };
        let headers = &parts.headers;
        if parts.method != Method::GET {
            return Err(ApiError::BadMethod);
        }
        if !lists(headers, CONNECTION, "upgrade") || !lists(headers, UPGRADE, "websocket") {
            return Err(bad("upgrade", "missing"));
        }
        if !lists(headers, SEC_WEBSOCKET_VERSION, "13") {
            return Err(bad("sec-websocket-version", "unknown"));
        }
        let key = headers.get(SEC_WEBSOCKET_KEY);
        let key = key.ok_or_else(|| bad("sec-websocket-key", "missing"))?;
        let accept_key = HeaderValue::try_from(derive_accept_key(key.as_bytes()));
        let accept_key = accept_key.expect("base64 can stand in a header");
        let subprotocols = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter().cloned().collect();
        // Absent where the HTTP version knows no upgrade.
        let upgrade = parts.extensions.remove().ok_or_else(|| bad("upgrade", "unknown"))?;
        Ok(Self { accept_key, subprotocols, upgrade })
    }
}

impl Handshake {
    /// Answers that there is a socket now, and serves it in a task of its own. `subprotocol` is
    /// agreed upon if the client offers it.
    pub fn accept<F: Future<Output = ()> + Send + 'static>(
        self,
        subprotocol: Option<&'static str>,
        manner: Manner,
        limits: &Limits,
        serve: impl FnOnce(Socket) -> F + Send + 'static,
    ) -> Response {
        let (upgrade, bytes_max) = (self.upgrade, limits.frame_bytes_max as usize);
        let outbox = Arc::new(Outbox::new(manner, limits));
        tokio::spawn(async move {
            // An error: the client hung up before it was answered.
            let Ok(upgraded) = upgrade.await else { return };
            let parts = upgraded.downcast::<TokioIo<Counted>>();
            let parts = parts.expect("the front door takes connections of no other kind");
            serve(Socket::new(parts.io.into_inner(), parts.read_buf, bytes_max, outbox)).await;
        });
        let mut answer = Response::new(Body::empty());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = answer.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_ACCEPT, self.accept_key);
        let is_offered = |name: &&str| self.subprotocols.iter().any(|offer| has_item(offer, name));
        if let Some(name) = subprotocol.filter(is_offered) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
        }
        answer
    }
}

/// Whether a header, which is a list, has this item.
fn lists(headers: &HeaderMap, name: HeaderName, item: &str) -> bool {
    headers.get_all(name).iter().any(|list| has_item(list, item))
}

fn has_item(list: &HeaderValue, item: &str) -> bool {
    let mut items = list.as_bytes().split(|&byte| byte == b',');
    items.any(|one| one.trim_ascii().eq_ignore_ascii_case(item.as_bytes()))
}
