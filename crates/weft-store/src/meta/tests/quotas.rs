//! What spaces hold and may hold: sums, which quota counts, what fits, who is still to be told.

use std::collections::BTreeSet;

use weft_core::access::SpaceKind;

use super::*;

impl Fixture {
    /// A room of that weight in a space.
    async fn heavy(&self, id: u8, owner: PersonId, space: SpaceId, bytes: u64) -> RoomId {
        let new = NewRoom { space, bytes, ..new_room(id, owner, None) };
        self.meta.create_room(&new, ROOMS_MAX, 1).await.unwrap().id
    }

    async fn space(&self, id: u8, owner: PersonId) -> SpaceId {
        let id = SpaceId::from_bytes([id; 16]);
        self.meta.create_space(id, "Team", owner, 99, 1).await.unwrap();
        id
    }

    async fn held(&self, space: SpaceId) -> (u64, Option<u64>) {
        let SpaceStorage { used, limit, .. } = self.meta.space_storage(space).await.unwrap();
        (used, limit)
    }

    /// The rooms that are full, by first byte of their ids, and the spaces of which people are to be told.
    async fn now(&self) -> (Vec<u8>, Vec<SpaceId>) {
        let QuotasNow { full, nearly_full } = self.meta.quotas_now().await.unwrap();
        let full = full.iter().map(|room| room.as_bytes()[0]).collect();
        (full, nearly_full.iter().map(|one| one.space.id).collect())
    }
}

fn defaults(team: Option<u64>, personal: Option<u64>) -> DefaultQuotas {
    DefaultQuotas { team, personal }
}

#[tokio::test]
async fn a_space_holds_the_sum_of_its_rooms_wherever_they_come_from() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    let (one, other) = (f.space(20, lin).await, f.space(21, lin).await);
    assert_eq!(f.held(one).await, (0, None));
    let room = f.heavy(2, lin, one, 10).await;
    f.heavy(3, lin, one, 5).await;
    f.heavy(4, lin, personal(lin), 7).await;
    assert_eq!((f.held(one).await.0, f.held(personal(lin)).await.0), (15, 7));
    f.meta.touch(room, lin, 50, Some(100), 0).await.unwrap();
    f.meta.touch(room, lin, 60, None, 0).await.unwrap();
    assert_eq!(f.held(one).await.0, 105, "what is not known changes nothing");
    // A change that was noted later does not stand in the way.
    f.meta.touch(room, lin, 40, Some(90), 0).await.unwrap();
    assert_eq!(f.held(one).await.0, 95);
    f.meta.set_trashed(room, Some((lin, 70))).await.unwrap();
    assert_eq!(f.held(one).await.0, 95, "the trash counts");
    f.meta.move_room(room, other, None).await.unwrap();
    assert_eq!((f.held(one).await.0, f.held(other).await.0), (5, 90));
    let nobodys = f.meta.space_storage(SpaceId::from_bytes([99; 16])).await;
    assert_eq!(refusal(nobodys), Refusal::NotFound);
}

#[tokio::test]
async fn who_weighs_all_rooms_does_not_undo_what_was_noted_meanwhile() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    for id in 2..=5 {
        f.heavy(id, lin, personal(lin), u64::from(id)).await;
    }
    let first = f.meta.weights(None, 3).await.unwrap();
    let rest = f.meta.weights(Some(first[2].room), 3).await.unwrap();
    let bytes = |rows: &[RoomWeight]| rows.iter().map(|row| row.bytes).collect::<Vec<_>>();
    assert_eq!((bytes(&first), bytes(&rest)), (vec![2, 3, 4], vec![5]));
    f.meta.set_weight(first[0].room, 1_000).await.unwrap();
    f.meta.set_weights(&[(first[0], 7), (first[1], 8)]).await.unwrap();
    let now = f.meta.weights(None, 3).await.unwrap();
    assert_eq!(bytes(&now), [1_000, 8, 4]);
}

#[tokio::test]
async fn a_spaces_own_quota_goes_over_that_of_its_kind() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    let team = f.space(20, lin).await;
    let spaces = [team, personal(lin), GALLERY];
    let limits = async || {
        let mut limits = Vec::new();
        for space in spaces {
            limits.push(f.held(space).await.1);
        }
        limits
    };
    assert_eq!(limits().await, [None, None, None]);
    f.meta.set_default_quotas(defaults(Some(50), Some(60))).await.unwrap();
    assert_eq!(f.meta.default_quotas().await.unwrap(), defaults(Some(50), Some(60)));
    assert_eq!(limits().await, [Some(50), Some(60), None]);
    for space in spaces {
        f.meta.set_space_quota(space, Quota::Bytes(7)).await.unwrap();
    }
    assert_eq!(limits().await, [Some(7), Some(7), Some(7)]);
    f.meta.set_space_quota(team, Quota::Unlimited).await.unwrap();
    f.meta.set_space_quota(GALLERY, Quota::Default).await.unwrap();
    f.meta.set_default_quotas(defaults(Some(50), None)).await.unwrap();
    f.meta.set_space_quota(personal(lin), Quota::Default).await.unwrap();
    assert_eq!(limits().await, [None, None, None]);
    assert_eq!(f.meta.space_storage(team).await.unwrap().own, Quota::Unlimited);
}

#[tokio::test]
async fn what_does_not_fit_is_not_let_in() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    let (small, large) = (f.space(20, lin).await, f.space(21, lin).await);
    f.heavy(2, lin, small, 40).await;
    let (fits, not) = (f.heavy(3, lin, large, 60).await, f.heavy(4, lin, large, 61).await);
    f.meta.set_space_quota(small, Quota::Bytes(100)).await.unwrap();
    assert_eq!(refusal(f.meta.move_room(not, small, None).await), Refusal::QuotaExceeded);
    f.meta.move_room(not, large, None).await.unwrap();
    let folder = NewFolder {
        id: FolderId::from_bytes([30; 16]),
        space: large,
        parent: None,
        name: "Plans".to_owned(),
        creator: lin,
    };
    f.meta.create_folder(&folder, 99, 1).await.unwrap();
    f.meta.move_room(not, large, Some(folder.id)).await.unwrap();
    assert_eq!(refusal(f.meta.move_folder(folder.id, small, None).await), Refusal::QuotaExceeded);
    f.meta.move_room(fits, small, None).await.unwrap();
    assert_eq!(f.held(small).await, (100, Some(100)));
    // It is full: nothing new, however small.
    let new = NewRoom { space: small, ..new_room(9, lin, None) };
    assert_eq!(refusal(f.meta.create_room(&new, ROOMS_MAX, 1).await), Refusal::QuotaExceeded);
    let check = f.meta.check_room(lin, small, None, ROOMS_MAX).await;
    assert_eq!(refusal(check), Refusal::QuotaExceeded);
    f.meta.check_room(lin, large, None, ROOMS_MAX).await.unwrap();
    // What is there can go, and within it things move.
    f.meta.set_trashed(fits, Some((lin, 5))).await.unwrap();
    f.meta.move_room(fits, small, None).await.unwrap();
    f.meta.move_room(fits, large, None).await.unwrap();
    f.meta.move_folder(folder.id, large, None).await.unwrap();
    f.meta.set_space_quota(small, Quota::Bytes(101)).await.unwrap();
    f.meta.move_folder(folder.id, small, None).await.unwrap();
    assert_eq!(f.held(small).await.0, 101);
}

#[tokio::test]
async fn full_rooms_are_those_of_full_spaces_and_people_are_told_once() {
    let f = Fixture::new().await;
    let (lin, bo) = (f.person(1, "lin").await, f.person(2, "bo").await);
    let (full, nearly, roomy) =
        (f.space(20, lin).await, f.space(21, lin).await, f.space(22, lin).await);
    f.heavy(3, lin, full, 60).await;
    f.heavy(4, lin, full, 40).await;
    let grows = f.heavy(5, lin, nearly, 80).await;
    f.heavy(6, lin, roomy, 79).await;
    f.heavy(7, bo, personal(bo), 1_000).await;
    assert_eq!(f.now().await, (vec![], vec![]), "nothing is limited");
    f.meta.set_default_quotas(defaults(Some(100), None)).await.unwrap();
    let (rooms, told) = f.now().await;
    assert_eq!(rooms, [3, 4]);
    assert_eq!(told.into_iter().collect::<BTreeSet<_>>(), BTreeSet::from([full, nearly]));
    let found = f.meta.quotas_now().await.unwrap().nearly_full;
    let found = found.iter().find(|one| one.space.id == nearly).unwrap();
    assert_eq!((found.used, found.limit, &found.managers), (80, 100, &vec![lin]));

    let news = NewDelivery { to: lin, about: None, op: vec![1] };
    for space in [full, nearly, nearly] {
        f.meta.tell_of_quota(space, std::slice::from_ref(&news), 5).await.unwrap();
    }
    assert_eq!(f.meta.deliveries(0, 9).await.unwrap().len(), 2, "once each");
    assert_eq!(f.now().await.1, []);
    // Somewhat less is no reason to tell of it anew, much less is.
    for (bytes, expected) in [(71, vec![]), (95, vec![]), (69, vec![]), (80, vec![nearly])] {
        f.meta.set_weight(grows, bytes).await.unwrap();
        assert_eq!(f.now().await.1, expected, "{bytes}");
    }
    // Who has no quota any more can be told anew when there is one.
    f.meta.set_space_quota(full, Quota::Unlimited).await.unwrap();
    assert_eq!(f.now().await.0, Vec::<u8>::new());
    f.meta.set_space_quota(full, Quota::Default).await.unwrap();
    assert_eq!(f.now().await, (vec![3, 4], vec![full, nearly]));
    f.meta.set_default_quotas(defaults(None, Some(1))).await.unwrap();
    assert_eq!(f.now().await, (vec![7], vec![personal(bo)]));
}

#[tokio::test]
async fn spaces_are_listed_by_what_they_hold_page_by_page() {
    let f = Fixture::new().await;
    let lin = f.person(1, "lin").await;
    for (id, bytes) in [(20, 5), (21, 9), (22, 5), (23, 0)] {
        let space = f.space(id, lin).await;
        if bytes > 0 {
            f.heavy(id, lin, space, bytes).await;
        }
    }
    let mut order = SpacesOrder::Use(None);
    let mut all = Vec::new();
    loop {
        let query = SpacesQuery { personal: false, order };
        let page = f.meta.all_spaces(query, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        order = SpacesOrder::Use(Some((last.storage.used, last.id)));
        all.extend(page.iter().map(|space| (space.id.as_bytes()[0], space.storage.used)));
    }
    assert_eq!(all, [(21, 9), (20, 5), (22, 5), (0, 0), (23, 0)]);
    let query = SpacesQuery { personal: true, order: SpacesOrder::Age(None) };
    let own = f.meta.all_spaces(query, 9).await.unwrap();
    let kinds: Vec<_> =
        own.iter().map(|space| (space.kind, space.owner.as_ref().unwrap().id)).collect();
    assert_eq!(kinds, [(SpaceKind::Personal, lin)]);
}
