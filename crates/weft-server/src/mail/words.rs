//! What letters say, in the reader's language. Text only: a link is all that they are about.

use std::fmt;

/// A letter to one address.
pub struct Letter {
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter(…)")
    }
}

impl Letter {
    /// A link with which somebody sets a new password. The address has been verified.
    pub fn reset(to: &str, language: &str, username: &str, link: &str) -> Self {
        let (subject, text) = match language {
            "zh" => (
                "重设 Weft 密码",
                format!(
                    "你好，\n\n打开以下链接，为账号 {username} 设置新密码：\n\n{link}\n\n\
                     链接一小时内有效，只能使用一次。如果你没有申请重设密码，请忽略此邮件，账号不会有任何变化。\n"
                ),
            ),
            _ => (
                "Set a new password for Weft",
                format!(
                    "Hello,\n\nopen this link to set a new password for the account {username}:\n\n{link}\n\n\
                     It works once, for one hour. If you did not ask for it, ignore this mail: nothing changes.\n"
                ),
            ),
        };
        Self::new(to, subject, text)
    }

    /// A link that shows that an address is somebody's. Holds nothing that a stranger could have chosen: anybody
    /// can enter anybody's address.
    pub fn verify(to: &str, language: &str, link: &str) -> Self {
        let (subject, text) = match language {
            "zh" => (
                "确认你的邮箱地址",
                format!(
                    "你好，\n\n有人在 Weft 填写了这个邮箱地址。如果是你，请打开以下链接确认：\n\n{link}\n\n\
                     链接一天内有效，只能使用一次。如果不是你，请忽略此邮件。\n"
                ),
            ),
            _ => (
                "Confirm your e-mail address",
                format!(
                    "Hello,\n\nsomebody entered this address at Weft. If it was you, open this link to confirm it:\n\n{link}\n\n\
                     It works once, for one day. If it was not you, ignore this mail.\n"
                ),
            ),
        };
        Self::new(to, subject, text)
    }

    /// Shows an administrator that mail arrives.
    pub fn test(to: &str, language: &str, url: &str) -> Self {
        let (subject, text) = match language {
            "zh" => (
                "Weft 测试邮件",
                format!("你好，\n\n这封测试邮件来自 {url}。收到它说明邮件设置可用。\n"),
            ),
            _ => (
                "Test mail from Weft",
                format!("Hello,\n\nthis is a test from {url}. As you read it, mail works.\n"),
            ),
        };
        Self::new(to, subject, text)
    }

    /// What waits in somebody's inbox: what each notice says and where it leads, the newest first, and how many
    /// more there are. The address has been verified.
    pub fn digest(
        to: &str,
        language: &str,
        notices: &[(String, Option<String>)],
        more: usize,
        url: &str,
    ) -> Self {
        let is_zh = language == "zh";
        let count = notices.len() + more;
        let subject = match (notices, is_zh) {
            ([(only, _)], _) if more == 0 => only.clone(),
            (_, true) => format!("Weft：{count} 条未读通知"),
            (_, false) => format!("Weft: {count} unread notices"),
        };
        let mut text = String::from(if is_zh { "你好，\n\n" } else { "Hello,\n\n" });
        for (says, link) in notices {
            text.push_str(says);
            text.push('\n');
            if let Some(link) = link {
                text.push_str(link);
                text.push('\n');
            }
            text.push('\n');
        }
        match (more, is_zh) {
            (0, _) => {}
            (_, true) => text.push_str(&format!("另有 {more} 条。\n\n")),
            (_, false) => text.push_str(&format!("And {more} more.\n\n")),
        }
        text.push_str(&if is_zh {
            format!("全部通知：{url}/inbox\n在设置中可以调整或关闭此类邮件：{url}/settings\n")
        } else {
            format!(
                "All of them: {url}/inbox\nHow often such mail comes, if at all, is in your settings: {url}/settings\n"
            )
        });
        Self::new(to, &subject, text)
    }

    fn new(to: &str, subject: &str, text: String) -> Self {
        Self { to: to.to_owned(), subject: subject.to_owned(), text }
    }
}
