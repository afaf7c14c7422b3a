//! The web app: its built files are part of the program.
//!
//! Paths that no protocol owns are pages of the app, which finds its own way by the path. Without
//! a built app every page says how to build it.

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};
use tower_http::{CompressionLevel, compression::CompressionLayer};

use crate::{http::ApiError, state::AppState};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// First parts of paths that belong to protocols: nothing of the app is ever there.
const RESERVED: [&str; 10] =
    ["api", "ws", "yjs", "hocuspocus", "d", "doc", "signaling", "healthz", "readyz", "metrics"];

/// Files whose name holds a hash of their content: whoever has one need not ask again.
const HASHED: &str = "assets/";

const NOT_BUILT: &str = "<!doctype html><meta charset=\"utf-8\"><title>Weft</title>\
    <h1>Weft</h1><p>The server runs, but the web app is not built into it. \
    Build and serve both with <code>cargo xtask serve</code>.</p>\
    <p>服务器已运行，但未包含网页应用。请用 <code>cargo xtask serve</code> 构建并启动。</p>\n";

/// Answers what no route of the API or of a protocol does.
pub(crate) fn service(state: AppState) -> Router {
    // Compressed when asked for: level 4 costs about as much time as it saves on a local network.
    let compression = CompressionLayer::new().quality(CompressionLevel::Precise(4));
    Router::new()
        .fallback(async |request: Request| answer(&request))
        .layer(compression)
        .with_state(state)
}

fn answer(request: &Request<Body>) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let first = path.split('/').next().unwrap_or("");
    if RESERVED.contains(&first) {
        return ApiError::NotFound.into_response();
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return ApiError::BadMethod.into_response();
    }
    match Dist::get(path) {
        Some(asset) if path != "index.html" => file(request, path, asset),
        None if path.starts_with(HASHED) => ApiError::NotFound.into_response(),
        Some(_) | None => page(request),
    }
}

/// The app's one page.
fn page(request: &Request<Body>) -> Response {
    match Dist::get("index.html") {
        Some(index) => file(request, "index.html", index),
        None => {
            (StatusCode::OK, [(header::CACHE_CONTROL, "no-store")], Html(NOT_BUILT)).into_response()
        }
    }
}

fn file(request: &Request<Body>, path: &str, asset: EmbeddedFile) -> Response {
    let cached = if path.starts_with(HASHED) {
        "public, max-age=31536000, immutable"
    } else {
        // Kept, but asked for anew each time.
        "no-cache"
    };
    let tag = tag(&asset);
    let same = request.headers().get(header::IF_NONE_MATCH).is_some_and(|sent| *sent == tag);
    let headers = [(header::CACHE_CONTROL, HeaderValue::from_static(cached)), (header::ETAG, tag)];
    if same {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(media_type(path)))];
    (headers, kind, asset.data).into_response()
}

/// Weak, because the same file also goes out compressed.
fn tag(asset: &EmbeddedFile) -> HeaderValue {
    let [a, b, c, d, ..] = asset.metadata.sha256_hash();
    let number = u32::from_be_bytes([a, b, c, d]);
    HeaderValue::try_from(format!("W/\"{number:08x}\"")).expect("hexadecimal is visible ASCII")
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
