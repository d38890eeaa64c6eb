//! `make preview`: writes the mails of typical runs, and a page that shows them side by side. For the pictures
//! (pictures.py) it also writes each mail as Gmail and Outlook reduce it, and a page with those of the README.

#![allow(clippy::print_stdout, reason = "it is a command")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use ec2_start_stop::testkit::typical_runs::{self, TypicalMail};

/// Says how high the page is at the width of its query (`?375`) to who dumps its document: a picture is as high as
/// its mail.
const HEIGHT: &str = "<script>{const page=document.documentElement,width=location.search.slice(1);\
    if(width){page.style.width=width+'px';page.dataset.height=document.body.scrollHeight}}</script>";

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::args().nth(1).unwrap_or_else(|| "target/preview".to_owned()));
    fs::create_dir_all(folder.join("pages"))?;
    let mut page = String::from(
        "<!doctype html><meta charset=utf-8><title>Mails of ec2-start-stop</title>\
         <style>body{font:14px system-ui;display:flex;gap:16px;overflow-x:auto}\
         iframe{width:375px;height:1000px;border:1px solid #888}</style>\n",
    );
    let mails = typical_runs::mails();
    for mail in &mails {
        let name = mail.name;
        fs::write(folder.join(format!("{name}.html")), &mail.html)?;
        fs::write(folder.join(format!("{name}.txt")), &mail.text)?;
        to_be_pictured(&folder, name, &mail.html)?;
        to_be_pictured(&folder, &format!("{name}-without-style-sheet"), &without_style_sheet(&mail.html))?;
        to_be_pictured(&folder, &format!("{name}-outlook"), &as_outlook(&mail.html))?;
        writeln!(
            page,
            "<div><b>{name}</b>: <a href={name}.txt>text</a>, <a href={name}.html>HTML</a><br>{}<br><iframe src={name}.html></iframe></div>",
            mail.subject
        )
        .map_err(io::Error::other)?;
        println!("{name}: {} bytes HTML, {} bytes text", mail.html.len(), mail.text.len());
    }
    fs::write(folder.join("pages/readme.htm"), readme(&mails))?;
    let index = folder.join("index.html");
    fs::write(&index, page)?;
    println!("All of them side by side: {}", index.display());
    Ok(())
}

/// The README's picture: three whole mails, of a run that failed, of one that did not, and of a dry run. A frame that
/// holds its own document may be measured.
fn readme(mails: &[TypicalMail]) -> String {
    let frame = |name: &str| {
        let html = mails.iter().find(|mail| mail.name == name).map_or("", |mail| mail.html.as_str());
        format!("<iframe srcdoc=\"{}\"></iframe>", html.replace('&', "&amp;").replace('"', "&quot;"))
    };
    format!(
        "<!doctype html><meta charset=utf-8>\
         <style>body{{margin:0;padding:20px;display:flex;gap:20px;align-items:start;background:#d1d9e0}}\
         iframe{{display:block;width:520px;border:0;background:#fff}}iframe+iframe{{margin-top:20px}}</style>\
         <div>{}</div><div>{}{}</div>\
         <script>onload=()=>{{for(const frame of document.querySelectorAll('iframe'))\
         frame.height=frame.contentDocument.body.scrollHeight;\
         document.documentElement.dataset.height=document.body.scrollHeight}}</script>\n",
        frame("aborted"),
        frame("success"),
        frame("dry-run")
    )
}

fn to_be_pictured(folder: &Path, name: &str, html: &str) -> io::Result<()> {
    fs::write(folder.join("pages").join(format!("{name}.htm")), format!("{html}{HEIGHT}"))
}

/// Gmail's app with another provider's account drops style sheets and classes
/// (<https://www.caniemail.com/features/html-style/>).
fn without_style_sheet(html: &str) -> String {
    match (html.split_once("<style>"), html.split_once("</style>")) {
        (Some((before, _)), Some((_, after))) => format!("{before}{after}"),
        _ => html.to_owned(),
    }
}

/// Outlook for Windows also knows padding only on cells, max-width only on tables, and no round corners
/// (<https://www.caniemail.com/clients/outlook/>).
fn as_outlook(html: &str) -> String {
    let html = without_style_sheet(html);
    let mut tags = html.split('<');
    let mut reduced = tags.next().unwrap_or_default().to_owned();
    for tag in tags {
        reduced.push('<');
        let Some((head, (style, tail))) =
            tag.split_once("style=\"").and_then(|(head, rest)| Some((head, rest.split_once('"')?)))
        else {
            reduced.push_str(tag);
            continue;
        };
        let element = head.split_whitespace().next().unwrap_or_default();
        let knows = |rule: &&str| match rule.split(':').next().unwrap_or_default() {
            "padding" => matches!(element, "td" | "th"),
            "max-width" => element == "table",
            "border-radius" | "max-height" | "overflow" | "white-space" => false,
            "margin" => !matches!(element, "span" | "body"),
            _ => true,
        };
        let style: Vec<&str> = style.split(';').filter(knows).collect();
        reduced.push_str(&format!("{head}style=\"{}\"{tail}", style.join(";")));
    }
    reduced
}
