//! Pictures of people.

use serde_json::json;

use crate::support::{Answer, Caller, Server};

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let picture = image::DynamicImage::new_rgb8(width, height);
    picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
    file.into_inner()
}

async fn put(caller: &Caller, file: impl Into<reqwest::Body>) -> Answer {
    let url = format!("{}/api/v1/auth/picture", caller.base);
    let request = caller.http.put(url).headers(caller.headers.clone()).body(file);
    Answer::of("PUT /auth/picture".to_owned(), request.send().await.unwrap()).await
}

#[tokio::test]
async fn a_picture_is_drawn_anew_and_found_by_its_content() {
    let server = Server::with(Server::limits(|limits| {
        limits.picture_bytes_max = 1_000;
        limits.picture_pixels_max = 100;
    }))
    .await;
    let (lin, bo) = (server.person("lin").await, server.person("bo").await);
    let id = lin.get("/auth/me").await.expect(200)["user"]["id"].as_str().unwrap().to_owned();
    let of = format!("/pictures?of={id},x");
    assert_eq!(bo.get(&of).await.expect(200), json!({"pictures": {}}));

    let url = put(&lin, png(10, 10)).await.expect(200)["picture"].as_str().unwrap().to_owned();
    assert_eq!(bo.get(&of).await.expect(200), json!({"pictures": {&id: url}}));
    let path = url.strip_prefix("/api/v1").unwrap();
    let seen = bo.get(path).await;
    assert_eq!((seen.status, seen.header("content-type")), (200, "image/webp"));
    assert_eq!(seen.header("cache-control"), "private, max-age=31536000, immutable");
    assert_eq!(seen.header("x-content-type-options"), "nosniff");
    assert!(seen.bytes.starts_with(b"RIFF"), "{:?}", &seen.bytes[..12]);
    server.stranger().get(path).await.refused(401, "not_signed_in");
    let other = format!("/pictures/{id}/{}", "0".repeat(64));
    bo.get(&other).await.refused(404, "not_found");
    bo.get("/pictures/x/y").await.refused(404, "not_found");

    let refused = put(&lin, "<svg></svg>").await.refused(400, "bad_request");
    assert_eq!(refused, json!({"field": "picture", "reason": "malformed"}));
    let large = put(&lin, png(10, 11)).await.refused(400, "bad_request");
    assert_eq!(large, json!({"field": "picture", "reason": "too_large"}));
    let heavy = put(&lin, vec![7; 1_001]).await.refused(413, "too_large");
    assert_eq!(heavy, json!({"limit": 1_000}));
    server.stranger().get(&of).await.refused(401, "not_signed_in");
    bo.get("/pictures").await.refused(400, "bad_request");
    assert_eq!(bo.get(path).await.status, 200, "what was refused changed nothing");

    assert_eq!(lin.delete("/auth/picture").await.status, 204);
    bo.get(path).await.refused(404, "not_found");
    assert_eq!(bo.get(&of).await.expect(200), json!({"pictures": {}}));
}
