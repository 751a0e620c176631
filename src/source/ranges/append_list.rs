//! A list that only grows, so that what it holds can be borrowed for as long as the list.

use std::sync::OnceLock;

/// The list; several threads may add to it.
#[derive(Debug)]
pub(crate) struct AppendList<T> {
    first: OnceLock<Box<Link<T>>>,
}

#[derive(Debug)]
struct Link<T> {
    value: T,
    next: OnceLock<Box<Link<T>>>,
}

impl<T> AppendList<T> {
    pub(crate) fn new() -> Self {
        Self {
            first: OnceLock::new(),
        }
    }

    pub(crate) fn push(&self, value: T) {
        let mut link = Box::new(Link {
            value,
            next: OnceLock::new(),
        });
        let mut end = &self.first;
        // Taken: by an earlier link, or by one that another thread has just added.
        while let Err(back) = end.set(link) {
            link = back;
            if let Some(taken) = end.get() {
                end = &taken.next;
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let links = std::iter::successors(self.first.get(), |link| link.next.get());
        links.map(|link| &link.value)
    }
}

impl<T> Drop for AppendList<T> {
    /// One link after the other: a long chain that drops itself link within link would use up the stack.
    fn drop(&mut self) {
        let mut next = self.first.take();
        while let Some(mut link) = next {
            next = link.next.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_stays() {
        let chain = AppendList::new();
        chain.push(0);
        let first = chain.iter().next();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let chain = &chain;
                scope.spawn(move || (1..100).for_each(|n| chain.push(n * 10 + thread)));
            }
        });
        assert_eq!(first, Some(&0));
        let mut values: Vec<i32> = chain.iter().copied().collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), 4 * 99 + 1);
    }

    #[test]
    fn a_long_chain_ends_well() {
        let mut chain = AppendList::new();
        for n in 0..200_000 {
            // At the front, for the sake of the test's own time.
            let rest = chain.first.take();
            chain.push(n);
            if let (Some(rest), Some(link)) = (rest, chain.first.get()) {
                assert!(link.next.set(rest).is_ok());
            }
        }
        assert_eq!(chain.iter().count(), 200_000);
    }
}
