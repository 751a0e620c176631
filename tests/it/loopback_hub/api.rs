//! The API: the list of files of a revision, and its commit.

use serde_json::{Value, json};

use super::exchange::Exchange;
use super::fault::Fault;
use super::lies;
use super::shared::{Files, LARGE};

impl Exchange<'_> {
    /// Lists the files of a revision.
    pub fn api(&mut self, id: &str, rest: &[&str]) {
        if self.api_fails() {
            return;
        }
        let (what, revision) = match rest {
            [] => ("revision", "main".to_owned()),
            [what, revision @ ..] => (*what, revision.join("/")),
        };
        let Some(files) = self.permitted(id, &revision, false) else {
            return;
        };
        let next = format!("<{}>; rel=\"next\"", self.path);
        let mut headers = vec![("Content-Type", "application/json")];
        if what == "tree" && self.fault(|fault| fault == Fault::ApiPages).is_some() {
            headers.push(("Link", &next));
        }
        let answer = if what == "tree" {
            tree(&files)
        } else {
            let siblings: Vec<_> = files
                .keys()
                .map(|name| json!({ "rfilename": name }))
                .collect();
            json!({ "_id": "0", "id": id, "sha": self.commit(&files), "siblings": siblings })
        };
        let answer =
            match self.fault(|fault| matches!(fault, Fault::ApiBloat | Fault::ApiManyFiles)) {
                Some(Fault::ApiBloat) => lies::bloated(&answer.to_string()),
                Some(_) => lies::with_many_files(&answer.to_string()),
                None => answer.to_string(),
            };
        self.status(200, &headers, answer.as_bytes());
    }

    /// Answers with a pending fault, or returns false if there is none.
    fn api_fails(&mut self) -> bool {
        if self.fault(|fault| fault == Fault::ApiSilent).is_some() {
            self.wait();
        } else if self.fault(|fault| fault == Fault::ApiPage).is_some() {
            self.status(
                200,
                &[],
                b"<!doctype html><title>Welcome to the Wi-Fi</title>",
            );
        } else if let Some(Fault::ApiStatus(status)) =
            self.fault(|fault| matches!(fault, Fault::ApiStatus(_)))
        {
            self.status(status, &[], b"out of order");
        } else {
            match self.fault(|fault| {
                matches!(
                    fault,
                    Fault::ApiEndless | Fault::ApiHeaders | Fault::ApiRedirect(_)
                )
            }) {
                Some(Fault::ApiEndless) => self.endless("{\"sha\":\"", 200),
                Some(Fault::ApiHeaders) => self.endless_headers(),
                Some(Fault::ApiRedirect(location)) => self.redirect(location),
                _ => return false,
            }
        }
        true
    }
}

fn tree(files: &Files) -> Value {
    files
        .iter()
        .map(|(name, content)| {
            let mut entry = json!({
                "type": "file", "path": name, "size": content.bytes.len(), "oid": content.git_blob,
            });
            if content.bytes.len() >= LARGE {
                entry["lfs"] = json!({
                    "oid": content.sha256, "size": content.bytes.len(), "pointerSize": 134,
                });
            }
            entry
        })
        .collect()
}
