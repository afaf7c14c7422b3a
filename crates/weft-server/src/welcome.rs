//! The document that a new workspace starts with: a task list that leads through the first ten
//! minutes. It speaks only of what is built.

use bytes::Bytes;
use weft_core::kind::doc::{
    Block::{self, Heading, Paragraph, Task},
    compose,
};

const ENGLISH: &[Block<'static>] = &[
    Paragraph(
        "This document is live: whatever you type is on the server's disk as soon as it says Saved.",
    ),
    Heading(2, "Try it"),
    Task("Write something here."),
    Task("Type / at the start of a line for headings, lists and tasks."),
    Task("Open this page in a second window and type in both."),
    Task(
        "Press Share, make an invite link, and send it to a colleague: both of you type here at once.",
    ),
    Task("Switch your network off, go on writing, and switch it on again."),
    Task("Make a group order from Home, share it, and take the last item together."),
    Heading(2, "Your notes"),
    Paragraph(""),
];

const CHINESE: &[Block<'static>] = &[
    Paragraph("这份文档是实时的：显示“已保存”时，你输入的内容已经写入服务器磁盘。"),
    Heading(2, "试一试"),
    Task("在这里写点什么。"),
    Task("在行首输入“/”，插入标题、列表和任务。"),
    Task("在另一个窗口打开本页，两边同时输入。"),
    Task("点击“分享”，创建邀请链接并发给同事，一起在这里输入。"),
    Task("断开网络继续写，然后重新连接。"),
    Task("在首页新建一个拼单并分享，一起抢最后一份。"),
    Heading(2, "你的笔记"),
    Paragraph(""),
];

/// The first operation of the welcome document in that language.
#[must_use]
pub fn seed(language: &str) -> Option<Bytes> {
    let blocks = if language.starts_with("zh") { CHINESE } else { ENGLISH };
    // A new room has no other clients, so that any id will do.
    Some(compose(1, blocks))
}
