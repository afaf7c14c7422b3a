//! For each call of the table: what it is about, and what is sent, so that whoever may make it succeeds.

use reqwest::Method;
use serde_json::{Value, json};

use super::{NOWHERE, PASSWORD, Who, World, id, join};
use crate::{document::Operation, support::Caller};

/// One call as one of the callers makes it.
#[derive(Default)]
pub struct Row {
    /// What stands for the names of the path.
    pub names: Vec<(&'static str, String)>,
    pub body: Option<String>,
    /// The room that a room token is for.
    pub room: Option<String>,
    /// The code that those hear who are let in, if this cannot succeed.
    pub then: Option<&'static str>,
    /// Who comes, if it is not the usual one.
    pub caller: Option<Caller>,
}

impl Row {
    fn of(name: &'static str, value: &str) -> Self {
        let room = (name == "room").then(|| value.to_owned());
        Self { names: vec![(name, value.to_owned())], room, ..Self::default() }
    }

    fn sending(body: Value) -> Self {
        Self::default().with(body)
    }

    fn with(self, body: Value) -> Self {
        Self { body: Some(body.to_string()), ..self }
    }

    fn and(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.names.push((name, value.into()));
        self
    }

    fn then(self, code: &'static str) -> Self {
        Self { then: Some(code), ..self }
    }

    /// The same call about what is not there.
    pub fn nowhere(&self, space: &str) -> Self {
        let names = self.names.iter().map(|(name, value)| match *name {
            "room" | "folder" | "space" => (*name, NOWHERE.to_owned()),
            _ => (*name, value.clone()),
        });
        let mut body = self.body.clone();
        for known in self
            .names
            .iter()
            .map(|(_, value)| value.as_str())
            .chain([space])
            .chain(self.room.as_deref())
        {
            body = body.map(|body| body.replace(known, NOWHERE));
        }
        Self { names: names.collect(), body, ..Self::default() }
    }
}

/// The call as this one makes it.
pub async fn row(world: &mut World, operation: &Operation<'_>, who: Who) -> Row {
    let owner = world.owner().clone();
    let space = world.space.clone();
    let reads = operation.method == "get";
    let person = matches!(
        who,
        Who::Stranger
            | Who::ExMember
            | Who::Invited
            | Who::Viewer
            | Who::Commenter
            | Who::Editor
            | Who::Manager
            | Who::Owner
            | Who::Administrator
    );
    // Whose things it is about that are nobody else's.
    let own = if person { world.known(who).clone() } else { owner.clone() };
    let to_ann = json!({"username": "ann", "right": "read"});
    match operation.id() {
        // A browser is sent to a page, whoever it is.
        "get_auth_oidc_start"
        | "get_auth_oidc_callback"
        | "get_auth_oidc_identity"
        | "get_healthz"
        | "get_readyz"
        | "get_auth_setup"
        | "get_auth_me"
        | "get_auth_sign-ins"
        | "delete_auth_sign-ins"
        | "get_tokens"
        | "get_admin_quarantine"
        | "get_admin_people"
        | "get_admin_registration"
        | "get_admin_quotas"
        | "get_admin_spaces"
        | "get_admin_storage"
        | "get_admin_mail"
        | "get_admin_versions"
        | "delete_auth_picture"
        | "get_auth_push"
        | "delete_auth_push"
        | "get_admin_invites"
        | "get_admin_audit"
        | "get_admin_sharing"
        | "get_people"
        | "get_rooms"
        | "get_spaces" => Row::default(),

        // The browser of RFC 8291's example.
        "put_auth_push" => Row::sending(json!({
            "endpoint": "https://push.example.org/1",
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        })),
        "post_auth_oidc_code" => Row::sending(json!({"code": "123456"})).then("oidc_expired"),
        "post_auth_oidc_join" => {
            let room = world.document().await;
            let invite = owner.invite(&room, json!({"right": "read"})).await;
            Row::sending(json!({"invite": invite})).then("oidc_unreachable")
        }
        "post_auth_oidc_link" => {
            Row::sending(json!({"password": PASSWORD})).then("oidc_unreachable")
        }
        "post_auth_oidc_unlink" => Row::sending(json!({"password": PASSWORD})).then("not_found"),
        "post_auth_oidc_confirm" => Row::sending(json!({})).then("not_found"),
        "post_auth_setup" => {
            Row::sending(json!({"secret": "x", "username": "x", "password": PASSWORD}))
                .then("setup_done")
        }
        "post_auth_register" => {
            let username = world.fresh("new");
            let email = format!("{username}@example.org");
            Row::sending(json!({"username": username, "password": PASSWORD, "email": email}))
        }
        "post_auth_login" => Row::sending(json!({"username": "ann", "password": PASSWORD})),
        "post_auth_logout" if person => {
            let username = own.get("/auth/me").await.expect(200)["user"]["username"].clone();
            let form = json!({"username": username, "password": PASSWORD});
            let answer = own.post("/auth/login", form).await.expect(200);
            let caller = Some(own.clone().bearer(answer["token"].as_str().unwrap()));
            Row { caller, ..Row::default() }
        }
        "post_auth_logout" => Row::default(),
        "patch_auth_me" => Row::sending(json!({"phone": ""})),
        "post_auth_confirm" => Row::sending(json!({"password": PASSWORD})),
        "post_auth_password" => {
            Row::sending(json!({"password": PASSWORD, "new_password": PASSWORD}))
        }
        "delete_auth_sign-ins_sign_in" => {
            let me = own.get("/auth/me").await.expect(200);
            let form = json!({"username": me["user"]["username"], "password": PASSWORD});
            own.post("/auth/login", form).await.expect(200);
            let all = own.get("/auth/sign-ins").await.expect(200);
            let all = all["sign_ins"].as_array().unwrap().clone();
            let other = all.iter().find(|sign_in| sign_in["current"] == false).unwrap();
            Row::of("sign_in", &id(other))
        }
        "post_auth_second-factor" => Row::sending(json!({"password": PASSWORD})),
        "post_auth_second-factor_confirm" => {
            own.post("/auth/second-factor", json!({"password": PASSWORD})).await.expect(200);
            Row::sending(json!({"code": "no"})).then("wrong_code")
        }
        "post_auth_second-factor_off" => {
            Row::sending(json!({"password": PASSWORD, "code": "no"})).then("not_found")
        }

        "post_auth_reset" => {
            Row::sending(json!({"secret": "x", "password": PASSWORD})).then("link_expired")
        }
        "post_auth_reset_ask" => Row::sending(json!({"username": "ann"})).then("no_mail"),
        "post_auth_verify" => Row::sending(json!({"secret": "x"})).then("link_expired"),
        "post_auth_verify_send" => Row::default().then("no_mail"),
        "post_auth_leave" => Row::sending(json!({"password": "no"})).then("wrong_credentials"),
        "put_auth_picture" => {
            Row { body: Some("no picture".to_owned()), ..Row::default() }.then("bad_request")
        }
        "get_pictures" => Row::default().then("bad_request"),
        "get_pictures_person_hash" => Row::of("person", NOWHERE).and("hash", "0").then("not_found"),
        "patch_admin_people_person" => {
            Row::of("person", NOWHERE).with(json!({"active": true})).then("not_found")
        }
        "delete_admin_people_person_sign-ins" | "post_admin_people_person_reset-link" => {
            Row::of("person", NOWHERE).then("not_found")
        }
        "post_admin_people_person_delete" => {
            Row::of("person", NOWHERE).with(json!({"heir": "ann"})).then("not_found")
        }
        "put_admin_registration" => {
            Row::sending(json!({"registration": "open"})).then("set_at_start")
        }
        "post_admin_mail-test" => Row::default().then("no_mail"),

        "post_tokens" => Row::sending(json!({"name": "x", "scopes": ["read"]})),
        "delete_tokens_token" => {
            let form = json!({"name": "x", "scopes": ["read"]});
            Row::of("token", &id(&own.post("/tokens", form).await.expect(201)))
        }
        "post_room-tokens" => {
            let room = world.document().await;
            let form = json!({"room": room, "right": "read"});
            Row { room: Some(room), ..Row::sending(form) }
        }
        "put_admin_quotas" => Row::sending(json!({"team": null, "personal": null})),
        "get_admin_spaces_space_quota" => Row::of("space", &space),
        "put_admin_spaces_space_quota" => {
            Row::of("space", &space).with(json!({"quota_set": "default"}))
        }
        "patch_admin_sharing" => Row::sending(json!({"public_links": true})),
        "post_links_look" | "post_links_open" => {
            let room = world.document().await;
            let secret = link(&owner, &room).await;
            Row::sending(json!({"room": room, "secret": secret, "name": "Ann"}))
        }
        "post_admin_invites" => Row::sending(json!({})),
        "delete_admin_invites_invite" => {
            let made = world.known(Who::Administrator).post("/admin/invites", json!({})).await;
            Row::of("invite", &id(&made.expect(201)["invite"]))
        }

        "post_rooms" => Row::sending(json!({"kind": "doc", "title": "", "space": space})),
        "post_spaces" => Row::sending(json!({"name": "Team"})),
        "post_folders" => Row::sending(json!({"space": space, "name": "Plans"})),
        "post_invites_look" => {
            let room = world.document().await;
            Row::sending(json!({"secret": owner.invite(&room, json!({"right": "read"})).await}))
        }
        "post_invites_accept" => {
            let room = world.document().await;
            Row::sending(json!({"secret": owner.invite(&room, json!({"right": "read"})).await}))
        }

        "y_sweet" if operation.path == "/doc/new" => {
            let doc = world.fresh("notes");
            Row::sending(json!({"docId": doc}))
        }
        "y_sweet" => {
            let row = Row::of("room", &world.document().await);
            match operation.path {
                path if path.ends_with("/auth") => row.with(json!({})),
                path if path.ends_with("/update") => Row { body: Some("\0\0".to_owned()), ..row },
                _ => row,
            }
        }

        name if name.contains("_rooms_room") => {
            let room = world.document().await;
            let row = Row::of("room", &room);
            let below = name.split_once("_rooms_room").unwrap().1;
            match (operation.method, below) {
                ("patch", "") => row.with(json!({"title": "x"})),
                ("post", "_updates") => Row { body: Some("\0\0".to_owned()), ..row },
                ("post", "_grants") => row.with(to_ann),
                ("delete", "_grants_grantee") => {
                    owner.post(&format!("/rooms/{room}/grants"), to_ann).await.expect(200);
                    row.and("grantee", "ann")
                }
                ("put", "_link") => row.with(json!({"who": "workspace", "right": "read"})),
                ("post" | "delete", "_link_renew" | "_link") => {
                    link(&owner, &room).await;
                    row
                }
                ("post", "_invites") => row.with(json!({"right": "read"})),
                ("delete", "_invites_invite") => {
                    let form = json!({"right": "read"});
                    let made = owner.post(&format!("/rooms/{room}/invites"), form).await;
                    row.and("invite", id(&made.expect(201)["invite"]))
                }
                ("delete", "") | ("post", "_restore") | ("put" | "delete", "_star" | "_mute") => {
                    row
                }
                ("post", "_access-requests") => row,
                ("post", "_access-requests_person") => {
                    let stranger = world.known(Who::Stranger);
                    let asker = stranger.get("/auth/me").await.expect(200)["user"]["id"].clone();
                    let path = format!("/rooms/{room}/access-requests");
                    stranger.post(&path, json!({})).await.expect(204);
                    // Others are told of it off the answer.
                    while owner.get(&path).await.expect(200)["requests"] == json!([]) {
                        tokio::task::yield_now().await;
                    }
                    row.and("person", asker.as_str().unwrap()).with(json!({"allow": "read"}))
                }
                ("post", "_mentions") => {
                    let me = owner.get("/auth/me").await.expect(200)["user"]["id"].clone();
                    row.with(json!({"person": me, "mention_id": world.fresh("m")}))
                }
                _ if reads => row,
                _ => panic!("no row for {name}"),
            }
        }
        name if name.contains("_folders_folder") => {
            let folder = world.folder().await;
            let row = Row::of("folder", &folder);
            let below = name.split_once("_folders_folder").unwrap().1;
            match (operation.method, below) {
                ("patch", "") => row.with(json!({"name": "x"})),
                ("post", "_grants") => row.with(to_ann),
                ("delete", "_grants_grantee") => {
                    owner.post(&format!("/folders/{folder}/grants"), to_ann).await.expect(200);
                    row.and("grantee", "ann")
                }
                ("delete", "") | ("post", "_restore") => row,
                _ if reads => row,
                _ => panic!("no row for {name}"),
            }
        }
        name if name.contains("_spaces_space") => {
            let row = Row::of("space", &space);
            let below = name.split_once("_spaces_space").unwrap().1;
            let members = format!("/spaces/{space}/members");
            match (operation.method, below) {
                ("patch", "") => row.with(json!({"rules": {"links": true}})),
                ("post", "_members") => {
                    owner.delete(&format!("{members}/ben")).await;
                    row.with(json!({"username": "ben", "role": "viewer"}))
                }
                ("patch", "_members_username") => {
                    ann_is_a_member(world).await;
                    row.and("username", "ann").with(json!({"role": "editor"}))
                }
                ("delete", "_members_username") => {
                    ann_is_a_member(world).await;
                    row.and("username", "ann")
                }
                ("post", "_answer") => {
                    if who == Who::Invited {
                        let form = json!({"username": "invited", "role": "viewer"});
                        owner.post(&members, form).await.expect(201);
                    }
                    row.with(json!({"agree": false}))
                }
                ("post", "_hand-over") => row.with(json!({"username": "owner"})),
                ("post", "_webhooks") => {
                    no_webhooks(&owner, &space).await;
                    row.with(webhook_form())
                }
                (_, below) if below.starts_with("_webhooks_webhook") => {
                    no_webhooks(&owner, &space).await;
                    let hooks = format!("/spaces/{space}/webhooks");
                    let made = owner.post(&hooks, webhook_form()).await.expect(201);
                    let hook = id(&made["webhook"]);
                    let row = row.and("webhook", hook.clone());
                    match (operation.method, below) {
                        ("patch", "_webhooks_webhook") => row.with(json!({"name": "x"})),
                        ("post", "_webhooks_webhook_deliveries_delivery_again") => {
                            let sent = owner.post(&format!("{hooks}/{hook}/test"), json!({})).await;
                            row.and("delivery", sent.expect(202)["delivery"].to_string())
                        }
                        ("delete", "_webhooks_webhook")
                        | ("post", "_webhooks_webhook_secret" | "_webhooks_webhook_test") => row,
                        _ if reads => row,
                        _ => panic!("no row for {name}"),
                    }
                }
                _ if reads => row,
                _ => panic!("no row for {name}"),
            }
        }
        name => panic!("no row for {name}"),
    }
}

/// The secret of a new public link to the room.
async fn link(owner: &Caller, room: &str) -> String {
    let form = json!({"who": "public", "right": "edit"});
    let set = owner.call(Method::PUT, &format!("/rooms/{room}/link"), Some(form)).await;
    set.expect(200)["link"]["secret"].as_str().unwrap().to_owned()
}

/// One that leads nowhere.
fn webhook_form() -> Value {
    json!({"url": "https://hooks.invalid/", "events": ["link.removed"]})
}

/// A space may have some only.
async fn no_webhooks(owner: &Caller, space: &str) {
    let hooks = format!("/spaces/{space}/webhooks");
    for hook in owner.get(&hooks).await.expect(200)["webhooks"].as_array().unwrap() {
        owner.delete(&format!("{hooks}/{}", id(hook))).await.expect(204);
    }
}

async fn ann_is_a_member(world: &World) {
    let owner = world.owner();
    owner.delete(&format!("/spaces/{}/members/ann", world.space)).await;
    let form = json!({"username": "ann", "password": PASSWORD});
    let answer = world.server.stranger().post("/auth/login", form).await.expect(200);
    let ann = world.server.stranger().bearer(answer["token"].as_str().unwrap());
    join(owner, &world.space, "ann", &ann, "viewer").await;
}
