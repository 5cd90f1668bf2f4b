use super::*;

fn pooled(size: Size) -> usize {
    POOL.with(|pool| pool.borrow_mut().of(size).len())
}

#[test]
fn storage_is_taken_when_bytes_come_and_given_back_after_the_last() {
    let mut buffer = Buffer::new();
    assert!(buffer.spare().is_empty());
    buffer.reserve(Size::Small);
    assert_eq!(buffer.put(b"hello world"), 11);
    let first = buffer.split_to(6);
    assert_eq!(
        (first.bytes(), buffer.bytes()),
        (&b"hello "[..], &b"world"[..])
    );
    let before = pooled(Size::Small);
    drop(first);
    assert_eq!(pooled(Size::Small), before, "others own a part of it still");
    drop(buffer);
    assert_eq!(pooled(Size::Small), before + 1);
}

#[test]
fn bytes_move_to_their_own_storage_when_a_part_is_owned_elsewhere() {
    let mut buffer = Buffer::copy_of(b"5\r\nabcde\r\n");
    buffer.advance(3);
    let body = buffer.split_to(5);
    assert!(
        buffer.spare().is_empty(),
        "a write behind shared bytes would need their storage"
    );
    buffer.reserve(Size::Small);
    buffer.put(b"0\r\n");
    assert_eq!(
        (body.bytes(), buffer.bytes()),
        (&b"abcde"[..], &b"\r\n0\r\n"[..])
    );
}

#[test]
fn a_full_buffer_moves_to_the_front_and_then_to_larger_storage() {
    let mut buffer = Buffer::copy_of(&[b'a'; Size::Small.bytes()]);
    buffer.advance(10);
    buffer.reserve(Size::Small);
    assert_eq!(buffer.spare().len(), 10);
    buffer.filled(10);
    buffer.reserve(Size::Small);
    assert!(buffer.spare().is_empty());
    buffer.reserve(Size::Large);
    assert_eq!(buffer.len(), Size::Small.bytes());
    assert_eq!(
        buffer.spare().len(),
        Size::Large.bytes() - Size::Small.bytes()
    );
}

#[test]
fn the_pool_keeps_a_bounded_number() {
    let many: Vec<_> = (0..200).map(|_| Buffer::with_size(Size::Small)).collect();
    drop(many);
    assert_eq!(pooled(Size::Small), Size::Small.kept());
}
