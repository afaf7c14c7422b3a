//! Invite links.

use serde_json::json;

use crate::support::{DAY, MINUTE, NOW, Server};

#[tokio::test]
async fn a_link_shows_what_it_gives_and_gives_it() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let bo = server.person("bo").await;
    let room = lin.document("Plan").await;
    let made =
        lin.post(&format!("/rooms/{room}/invites"), json!({"right": "edit"})).await.expect(201);
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(made["url"], format!("{}/invite#{secret}", lin.base));
    let invite = json!({
        "id": made["invite"]["id"], "right": "edit", "expires_at": NOW + 7 * DAY,
        "uses": 0, "uses_max": 20, "created_at": NOW,
    });
    assert_eq!(made["invite"], invite);
    let look = server.stranger().post("/invites/look", json!({"secret": secret})).await.expect(200);
    assert_eq!(
        look,
        json!({
            "room": {"id": room, "kind": "doc", "title": "Plan"}, "right": "edit",
            "invited_by": {"name": "lin"}, "email": null,
        })
    );
    let accept = json!({"secret": secret});
    server.stranger().post("/invites/accept", accept.clone()).await.refused(401, "not_signed_in");
    let accepted = bo.post("/invites/accept", accept.clone()).await.expect(200);
    assert_eq!(accepted["room"], bo.get(&format!("/rooms/{room}")).await.expect(200));
    assert_eq!(accepted["room"]["right"], "edit");
    // Once more changes nothing, for the owner neither.
    bo.post("/invites/accept", accept.clone()).await.expect(200);
    assert_eq!(lin.post("/invites/accept", accept).await.expect(200)["room"]["right"], "manage");
    let left = lin.get(&format!("/rooms/{room}/invites")).await.expect(200);
    assert_eq!(left["invites"][0]["uses"], 1);
    assert!(!left.to_string().contains(secret), "the secret is shown once");
}

#[tokio::test]
async fn a_link_ends_by_time_by_count_and_by_hand() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let (bo, cy) = (server.person("bo").await, server.person("cy").await);
    let room = lin.document("Plan").await;
    let short = lin.invite(&room, json!({"right": "read", "expires_in_seconds": 60})).await;
    let once = lin.invite(&room, json!({"right": "read", "uses_max": 1})).await;
    let revoked = lin.invite(&room, json!({"right": "read"})).await;
    let gone = async |secret: &str| {
        cy.post("/invites/accept", json!({"secret": secret})).await.refused(410, "link_expired");
        let look = server.stranger().post("/invites/look", json!({"secret": secret})).await;
        look.refused(410, "link_expired");
    };
    server.clock.advance(MINUTE);
    gone(&short).await;
    bo.post("/invites/accept", json!({"secret": once})).await.expect(200);
    gone(&once).await;
    let left = lin.get(&format!("/rooms/{room}/invites")).await.expect(200);
    let left: Vec<_> = left["invites"].as_array().unwrap().clone();
    assert_eq!(left.len(), 1);
    let path = format!("/rooms/{room}/invites/{}", left[0]["id"].as_str().unwrap());
    assert_eq!(lin.delete(&path).await.status, 204);
    lin.delete(&path).await.refused(404, "not_found");
    gone(&revoked).await;
    assert_eq!(bo.get(&format!("/rooms/{room}")).await.status, 200, "who came in stays");
}

#[tokio::test]
async fn a_link_raises_rights_and_never_lowers_them() {
    let server = Server::open().await;
    let lin = server.person("lin").await;
    let bo = server.person("bo").await;
    let room = lin.document("Plan").await;
    let right = async |secret: String| {
        let accepted = bo.post("/invites/accept", json!({"secret": secret})).await.expect(200);
        accepted["room"]["right"].as_str().unwrap().to_owned()
    };
    assert_eq!(right(lin.invite(&room, json!({"right": "comment"})).await).await, "comment");
    assert_eq!(right(lin.invite(&room, json!({"right": "edit"})).await).await, "edit");
    assert_eq!(right(lin.invite(&room, json!({"right": "read"})).await).await, "edit");
}

#[tokio::test]
async fn what_a_link_may_be_is_limited() {
    let server = Server::with(Server::limits(|limits| limits.invites_per_room_max = 1)).await;
    let lin = server.person("lin").await;
    let path = format!("/rooms/{}/invites", lin.document("Plan").await);
    for (form, field) in [
        (json!({}), "right"),
        (json!({"right": "manage"}), "right"),
        (json!({"right": "read", "uses_max": 0}), "uses_max"),
        (json!({"right": "read", "uses_max": 1_000_000}), "uses_max"),
        (json!({"right": "read", "expires_in_seconds": 400 * 86_400}), "expires_in_seconds"),
    ] {
        assert_eq!(lin.post(&path, form).await.refused(400, "bad_request")["field"], field);
    }
    lin.post(&path, json!({"right": "read"})).await.expect(201);
    let more = lin.post(&path, json!({"right": "read"})).await.refused(400, "bad_request");
    assert_eq!(more, json!({"field": "invites", "reason": "too_many"}));
}
