//! The administrator's lists and settings.

use reqwest::Method;
use serde_json::json;
use weft_server::config::Registration;

use crate::support::{Caller, PASSWORD, Server};

async fn names(admin: &Caller, query: &str) -> Vec<String> {
    let page = admin.get(&format!("/admin/people{query}")).await.expect(200);
    let people = page["people"].as_array().unwrap();
    people.iter().map(|one| one["username"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn people_are_listed_page_by_page_and_found() {
    let server = Server::open().await;
    let (admin, _) = server.set_up().await;
    for name in ["lin", "bo", "b_c", "Émile"] {
        server.person(name).await;
    }
    server.stranger().get("/admin/people").await.refused(401, "not_signed_in");
    assert_eq!(names(&admin, "").await, ["admin", "b_c", "bo", "lin", "Émile"]);
    let page = admin.get("/admin/people?limit=2").await.expect(200);
    assert_eq!((&page["next"], page["people"].as_array().unwrap().len()), (&json!("b_c"), 2));
    let page = admin.get("/admin/people?limit=3&after=b_c").await.expect(200);
    assert_eq!((&page["next"], page["people"].as_array().unwrap().len()), (&json!(null), 3));
    assert_eq!(names(&admin, "?query=B_").await, ["b_c"], "no placeholder");
    assert_eq!(names(&admin, "?query=%C3%A9mi").await, ["Émile"]);
    assert_eq!(names(&admin, "?query=lin.").await, ["lin"], "by the address");
    assert_eq!(names(&admin, "?query=%25").await, Vec::<String>::new());
    assert_eq!(names(&admin, "?role=admin").await, ["admin"]);
    assert_eq!(names(&admin, "?role=member&state=active").await.len(), 4);
    assert_eq!(names(&admin, "?state=deactivated").await, Vec::<String>::new());
    for bad in ["?role=x", "?state=x", "?limit=0", "?limit=201", "?limit=x"] {
        admin.get(&format!("/admin/people{bad}")).await.refused(400, "bad_request");
    }

    let page = admin.get("/admin/people?query=lin").await.expect(200);
    let lin = &page["people"][0];
    let now = server.clock.now();
    assert_eq!((&lin["sign_ins"], &lin["seen_at"]), (&json!(1), &json!(now)));
    assert_eq!((&lin["state"], &lin["admin"]), (&json!("active"), &json!(false)));
    assert_eq!((&lin["email_verified"], &lin["second_factor"]), (&json!(false), &json!(false)));
    let path = format!("/admin/people/{}/sign-ins", lin["id"].as_str().unwrap());
    assert_eq!(admin.delete(&path).await.status, 204);
    let page = admin.get("/admin/people?query=lin").await.expect(200);
    let lin = &page["people"][0];
    assert_eq!((&lin["sign_ins"], &lin["seen_at"]), (&json!(0), &json!(now)));
}

#[tokio::test]
async fn who_may_register_is_said_while_it_runs_unless_the_command_line_has() {
    let server = Server::with(|_| ()).await;
    let (admin, _) = server.set_up().await;
    let invite = json!({"registration": "invite", "set_at_start": false});
    assert_eq!(admin.get("/admin/registration").await.expect(200), invite);
    let form = json!({"username": "lin", "password": PASSWORD, "email": "lin@example.org"});
    let stranger = server.stranger();
    stranger.post("/auth/register", form.clone()).await.refused(403, "registration_closed");
    let set = async |caller: &Caller, mode: &str| {
        let form = Some(json!({"registration": mode}));
        caller.call(Method::PUT, "/admin/registration", form).await
    };
    set(&admin, "everybody").await.refused(400, "bad_request");
    set(&admin, "open").await.expect(200);
    assert_eq!(stranger.get("/auth/setup").await.expect(200)["registration"], "open");
    let lin = stranger.post("/auth/register", form).await.expect(200);
    let lin = server.stranger().bearer(lin["token"].as_str().unwrap());
    set(&lin, "closed").await.refused(403, "no_right");

    // It outlasts a restart, and the command line goes over it.
    let server = server.restart(|_| ()).await;
    assert_eq!(server.stranger().get("/auth/setup").await.expect(200)["registration"], "open");
    let closed = |config: &mut weft_server::Config| {
        config.registration = Some(Registration::Closed);
    };
    let server = server.restart(closed).await;
    let admin = Caller { base: server.stranger().base, ..admin };
    let told = json!({"registration": "closed", "set_at_start": true});
    assert_eq!(admin.get("/admin/registration").await.expect(200), told);
    set(&admin, "open").await.refused(409, "set_at_start");
}

#[tokio::test]
async fn spaces_disk_and_versions_are_shown() {
    let server = Server::open().await;
    let (admin, _) = server.set_up().await;
    let lin = server.person("lin").await;
    let team = lin.post("/spaces", json!({"name": "Team"})).await.expect(201);
    let form = json!({"kind": "doc", "title": "Plan", "space": team["id"]});
    lin.post("/rooms", form).await.expect(201);
    let page = admin.get("/admin/spaces").await.expect(200);
    let spaces = page["spaces"].as_array().unwrap();
    assert_eq!((spaces.len(), &spaces[0]["kind"]), (2, &json!("gallery")));
    let seen = &spaces[1];
    assert_eq!((&seen["name"], &seen["owner"]["username"]), (&json!("Team"), &json!("lin")));
    assert_eq!((&seen["members"], &seen["rooms"]), (&json!(1), &json!(1)));
    let page = admin.get("/admin/spaces?limit=1").await.expect(200);
    let after = format!("/admin/spaces?after={}", page["next"].as_str().unwrap());
    let rest = admin.get(&after).await.expect(200);
    assert_eq!((&rest["spaces"][0]["name"], &rest["next"]), (&json!("Team"), &json!(null)));
    admin.get("/admin/spaces?after=x").await.refused(400, "bad_request");

    let storage = admin.get("/admin/storage").await.expect(200);
    for part in ["log_bytes", "metadata_bytes", "free_bytes"] {
        assert!(storage[part].as_u64().unwrap() > 0, "{part}: {storage}");
    }
    assert_eq!(storage["quarantine_bytes"], 0);
    let versions = admin.get("/admin/versions").await.expect(200);
    assert_eq!(versions["weft"], env!("CARGO_PKG_VERSION"));
    for path in ["spaces", "storage", "versions", "mail", "registration"] {
        lin.get(&format!("/admin/{path}")).await.refused(403, "no_right");
    }
}
