//! People who cannot sign in any more, and what becomes of what they owned.

use weft_core::access::{Role, SpaceKind};

use super::*;

fn refused<T: std::fmt::Debug>(result: Result<T, MetaError>) -> Refusal {
    match result {
        Err(MetaError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn link(meta: &Meta, person: PersonId, purpose: Purpose, secret: u8, email: Option<&str>) {
    let email = email.map(str::to_owned);
    let new = NewAccountLink { person, purpose, secret_hash: [secret; 32], email, expires_at: 100 };
    meta.create_account_link(&new, 1).await.unwrap();
}

#[tokio::test]
async fn somebody_always_administers() {
    let fixture = Fixture::new().await;
    let meta = &fixture.meta;
    let (lin, bo) = (fixture.person(1, "lin").await, fixture.person(2, "bo").await);
    meta.set_admin(lin, true, 2).await.unwrap();
    assert_eq!(meta.right_at(GALLERY, None, lin, 3).await.unwrap(), Some(Right::Manage));
    assert_eq!(refused(meta.set_admin(lin, false, 3).await), Refusal::LastAdmin);
    assert_eq!(refused(meta.deactivate(lin, 3).await), Refusal::LastAdmin);
    assert_eq!(refused(meta.depart(lin, Some(bo), 3).await), Refusal::LastAdmin);
    meta.set_admin(bo, true, 3).await.unwrap();
    meta.deactivate(bo, 4).await.unwrap();
    assert_eq!(refused(meta.set_admin(lin, false, 5).await), Refusal::LastAdmin);
    meta.reactivate(bo).await.unwrap();
    meta.set_admin(lin, false, 6).await.unwrap();
    assert_eq!(meta.right_at(GALLERY, None, lin, 7).await.unwrap(), Some(Right::Edit));
}

#[tokio::test]
async fn whoever_left_is_a_row_without_a_name_that_nobody_finds() {
    let fixture = Fixture::new().await;
    let meta = &fixture.meta;
    let (lin, bo) = (fixture.person(1, "lin").await, fixture.person(2, "bo").await);
    let (plan, other) =
        (fixture.room(3, lin, Some("plan")).await, fixture.room(4, bo, Some("plan")).await);
    let kept = fixture.room(5, lin, Some("kept")).await;
    link(meta, lin, Purpose::Reset, 7, None).await;
    let departure = meta.depart(lin, Some(bo), 9).await.unwrap();
    assert_eq!(departure.spaces, [personal(lin)]);

    let gone = meta.person(lin).await.unwrap().unwrap();
    assert_eq!((gone.username.as_str(), gone.name.as_str(), gone.email), ("", "", None));
    for name in ["lin", "", &format!("left:{lin}")] {
        assert_eq!(meta.person_named(name).await.unwrap(), None, "{name:?}");
        assert!(meta.credentials(name).await.unwrap().is_none());
    }
    assert_eq!(refused(meta.check_reset(&[7; 32], 10).await), Refusal::LinkExpired);
    assert_eq!(refused(meta.depart(lin, Some(bo), 10).await), Refusal::NotFound);
    let key = async |room| meta.room_by_id(room).await.unwrap().unwrap().key;
    assert_eq!((key(plan).await, key(other).await), (None, Some("plan".to_owned())));
    assert_eq!(key(kept).await, Some("kept".to_owned()));
    assert_eq!(meta.room("kept", bo).await.unwrap().unwrap().id, kept);
    let view = meta.space_view(personal(lin), bo).await.unwrap().unwrap();
    assert_eq!((view.row.kind, view.role, view.members), (SpaceKind::Team, Some(Role::Owner), 1));
    assert_eq!(view.row.name, "name of lin");
    // Two who left share nothing that must be unique.
    let cy = fixture.person(6, "cy").await;
    meta.depart(cy, None, 11).await.unwrap();
    fixture.person(8, "lin").await;
}

#[tokio::test]
async fn without_an_heir_only_what_nobody_else_sees_is_trashed() {
    let fixture = Fixture::new().await;
    let meta = &fixture.meta;
    let (lin, bo) = (fixture.person(1, "lin").await, fixture.person(2, "bo").await);
    let (alone, granted) = (fixture.room(3, lin, None).await, fixture.room(4, lin, None).await);
    let to = NewGrantee::Username("bo".to_owned());
    let grant = NewGrant { to, right: Right::Edit, expires_at: None };
    meta.grant(Target::Room(granted), &grant, lin, 5).await.unwrap();
    meta.depart(lin, None, 6).await.unwrap();
    assert!(meta.room_by_id(alone).await.unwrap().unwrap().trashed_at.is_some());
    assert!(meta.room_by_id(granted).await.unwrap().unwrap().trashed_at.is_none());
    assert_eq!(meta.right(granted, bo, 7).await.unwrap(), Some(Right::Read));
}

#[tokio::test]
async fn links_are_the_newest_only_and_for_the_address_that_they_went_to() {
    let fixture = Fixture::new().await;
    let meta = &fixture.meta;
    let lin = fixture.person(1, "lin").await;
    let address = meta.person(lin).await.unwrap().unwrap().email;
    link(meta, lin, Purpose::Verify, 1, address.as_deref()).await;
    link(meta, lin, Purpose::Verify, 2, address.as_deref()).await;
    assert_eq!(refused(meta.verify_email(&[1; 32], 5).await), Refusal::LinkExpired);
    assert_eq!(refused(meta.verify_email(&[2; 32], 100).await), Refusal::LinkExpired);
    assert_eq!(meta.person_to_reset("LIN").await.unwrap(), None);
    assert!(meta.verify_email(&[2; 32], 99).await.unwrap().email_verified);
    assert_eq!(meta.person_to_reset("LIN").await.unwrap().map(|found| found.id), Some(lin));
    assert_eq!(refused(meta.verify_email(&[2; 32], 99).await), Refusal::LinkExpired);
    link(meta, lin, Purpose::Reset, 3, address.as_deref()).await;
    let elsewhere = ProfileChange { email: Some(Some("x@y".to_owned())), ..Default::default() };
    assert!(!meta.change_profile(lin, elsewhere).await.unwrap().email_verified);
    assert_eq!(refused(meta.check_reset(&[3; 32], 5).await), Refusal::LinkExpired);
}
