//! `make preview`: writes the mails of typical runs, and a page that shows them side by side.

#![allow(clippy::print_stdout, reason = "it is a command")]

use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs, io};

use ec2_start_stop::testkit::typical_runs;

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::args().nth(1).unwrap_or_else(|| "target/preview".to_owned()));
    fs::create_dir_all(&folder)?;
    let mut page = String::from(
        "<!doctype html><meta charset=utf-8><title>Mails of ec2-start-stop</title>\
         <style>body{font:14px system-ui;display:flex;gap:16px;overflow-x:auto}\
         iframe{width:375px;height:1000px;border:1px solid #888}</style>\n",
    );
    for run in typical_runs::all() {
        let mail = run.mail();
        let name = run.name;
        fs::write(folder.join(format!("{name}.html")), &mail.html)?;
        fs::write(folder.join(format!("{name}.txt")), &mail.text)?;
        writeln!(
            page,
            "<div><b>{name}</b>: <a href={name}.txt>text</a>, <a href={name}.html>HTML</a><br><iframe src={name}.html></iframe></div>"
        )
        .map_err(io::Error::other)?;
        println!("{name}: {} bytes HTML, {} bytes text", mail.html.len(), mail.text.len());
    }
    let index = folder.join("index.html");
    fs::write(&index, page)?;
    println!("All of them side by side: {}", index.display());
    Ok(())
}
