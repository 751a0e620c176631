//! A list that only grows, so that its values can be borrowed for as long as the list itself.

use std::sync::OnceLock;

/// A list to which several threads may append.
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
        // The slot is taken by an earlier link, or by one that another thread has just appended.
        while let Err(back) = end.set(link) {
            link = back;
            if let Some(earlier) = end.get() {
                end = &earlier.next;
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let links = std::iter::successors(self.first.get(), |link| link.next.get());
        links.map(|link| &link.value)
    }
}

impl<T> Drop for AppendList<T> {
    /// Drops one link at a time: nested drops of a long list would overflow the stack.
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
    fn appended_values_stay_borrowable() {
        let list = AppendList::new();
        list.push(0);
        let first = list.iter().next();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let list = &list;
                scope.spawn(move || (1..100).for_each(|n| list.push(n * 10 + thread)));
            }
        });
        assert_eq!(first, Some(&0));
        let mut values: Vec<i32> = list.iter().copied().collect();
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), 4 * 99 + 1);
    }

    #[test]
    fn a_long_list_is_dropped_without_recursion() {
        let mut list = AppendList::new();
        for n in 0..200_000 {
            // Pushed to the front, to keep the test fast.
            let rest = list.first.take();
            list.push(n);
            if let (Some(rest), Some(link)) = (rest, list.first.get()) {
                assert!(link.next.set(rest).is_ok());
            }
        }
        assert_eq!(list.iter().count(), 200_000);
    }
}
