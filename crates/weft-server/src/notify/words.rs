//! What a notice says where there is no page to say it: in letters, and on the screens of phones. The web app has the same
//! words (`inbox.*`).

use weft_core::{
    RoomId, SpaceId,
    kind::inbox::{Notice, ObjectKind},
};

use super::what;

/// Characters of a name or title that are shown.
const SHOWN_CHARS_MAX: usize = 100;

/// One line of what has happened.
pub fn line(notice: &Notice, language: &str) -> String {
    let told = &notice.told;
    let actor = told.actor.as_ref().map_or("Weft", |(_, name)| name);
    words(&told.what, &shown(actor), &shown(&told.object.title), language == "zh")
}

/// The page of the app that it leads to, if it is about something that one can open.
pub fn path(notice: &Notice) -> Option<String> {
    let object = &notice.told.object;
    match (object.kind, &*notice.told.what) {
        (_, what::DECLINED | what::REMOVED | what::INVITED) | (ObjectKind::Folder, _) => None,
        (ObjectKind::Room, _) => Some(format!("/o/{}", RoomId::from_bytes(object.id))),
        (ObjectKind::Space, what::WEBHOOK_OFF) => {
            Some(format!("/webhooks/{}", SpaceId::from_bytes(object.id)))
        }
        (ObjectKind::Space, _) => Some(format!("/space/{}", SpaceId::from_bytes(object.id))),
    }
}

/// One line of bounded length, whatever people have put into it.
fn shown(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS_MAX).collect();
    text.trim().to_owned()
}

fn words(code: &str, name: &str, title: &str, is_zh: bool) -> String {
    // One's own space has no name.
    let of_own = match (code, is_zh) {
        (what::WEBHOOK_OFF, true) => "你的空间的一个 Webhook 已自动关闭",
        (what::WEBHOOK_OFF, false) => "A webhook of your space was turned off",
        (what::NEARLY_FULL, true) => "你的空间的存储空间即将用满",
        (what::NEARLY_FULL, false) => "Your space is nearly full",
        _ => "",
    };
    if title.is_empty() && !of_own.is_empty() {
        return of_own.to_owned();
    }
    let title = match (title, is_zh) {
        ("", true) => "无标题",
        ("", false) => "Untitled",
        _ => title,
    };
    match (code, is_zh) {
        (what::MENTIONED, true) => format!("{name} 在“{title}”中提到了你"),
        (what::MENTIONED, false) => format!("{name} mentioned you in “{title}”"),
        (what::GRANTED, true) => format!("{name} 与你分享了“{title}”"),
        (what::GRANTED, false) => format!("{name} shared “{title}” with you"),
        (what::INVITED, true) => format!("{name} 邀请你加入空间“{title}”"),
        (what::INVITED, false) => format!("{name} invites you to the space “{title}”"),
        (what::REMOVED, true) => format!("{name} 将你移出了空间“{title}”"),
        (what::REMOVED, false) => format!("{name} removed you from the space “{title}”"),
        (what::ASKED, true) => format!("{name} 申请打开“{title}”"),
        (what::ASKED, false) => format!("{name} asks to open “{title}”"),
        (what::ALLOWED, true) => format!("{name} 同意你打开“{title}”"),
        (what::ALLOWED, false) => format!("{name} let you open “{title}”"),
        (what::DECLINED, true) => format!("{name} 拒绝了你的一项权限申请"),
        (what::DECLINED, false) => format!("{name} declined a request of yours for access"),
        (what::WEBHOOK_OFF, true) => format!("“{title}”的一个 Webhook 已自动关闭"),
        (what::WEBHOOK_OFF, false) => format!("A webhook of “{title}” was turned off"),
        (what::NEARLY_FULL, true) => format!("“{title}”的存储空间即将用满"),
        (what::NEARLY_FULL, false) => format!("The space “{title}” is nearly full"),
        (_, true) => format!("{name}：“{title}”"),
        (_, false) => format!("{name}: “{title}”"),
    }
}
