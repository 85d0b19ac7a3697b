;; Finds the items whose dot product with a user may reach a limit. `npm run wasm` writes scan-wasm.ts from this file.
;;
;; Four items lie side by side, as a group: four times their first factor, four times their second one, and so on. So one
;; instruction multiplies the same factor of four items, and no sum goes across the lanes. Four groups are scanned at once,
;; because an addition has to wait for the one before it.
(module
  (import "env" "memory" (memory 1))

  ;; $user    where each factor of the user lies four times
  ;; $items   where the first group begins
  ;; $group   bytes of a group: 16 for each factor
  ;; $quads   how many times four groups are scanned
  ;; $limit   an item is found unless its score is below it: also where the score is NaN
  ;; $index   of the first item
  ;; $found   where the indexes of the found items go, 4 bytes each
  ;; result   how many are found
  (func (export "scan")
    (param $user i32) (param $items i32) (param $group i32) (param $quads i32)
    (param $limit f32) (param $index i32) (param $found i32) (result i32)
    (local $limits v128) (local $factor v128) (local $at i32) (local $to i32) (local $mask i32)
    (local $1 i32) (local $2 i32) (local $3 i32)
    (local $sum0 v128) (local $sum1 v128) (local $sum2 v128) (local $sum3 v128)

    (local.set $limits (f32x4.splat (local.get $limit)))
    (local.set $to (local.get $found))
    (block $done
      (loop $quad
        (br_if $done (i32.eqz (local.get $quads)))
        (local.set $1 (i32.add (local.get $items) (local.get $group)))
        (local.set $2 (i32.add (local.get $1) (local.get $group)))
        (local.set $3 (i32.add (local.get $2) (local.get $group)))
        (local.set $sum0 (v128.const i32x4 0 0 0 0))
        (local.set $sum1 (v128.const i32x4 0 0 0 0))
        (local.set $sum2 (v128.const i32x4 0 0 0 0))
        (local.set $sum3 (v128.const i32x4 0 0 0 0))
        (local.set $at (i32.const 0))
        (loop $factors
          (local.set $factor (v128.load (i32.add (local.get $user) (local.get $at))))
          (local.set $sum0 (f32x4.add (local.get $sum0)
            (f32x4.mul (local.get $factor) (v128.load (i32.add (local.get $items) (local.get $at))))))
          (local.set $sum1 (f32x4.add (local.get $sum1)
            (f32x4.mul (local.get $factor) (v128.load (i32.add (local.get $1) (local.get $at))))))
          (local.set $sum2 (f32x4.add (local.get $sum2)
            (f32x4.mul (local.get $factor) (v128.load (i32.add (local.get $2) (local.get $at))))))
          (local.set $sum3 (f32x4.add (local.get $sum3)
            (f32x4.mul (local.get $factor) (v128.load (i32.add (local.get $3) (local.get $at))))))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br_if $factors (i32.ne (local.get $at) (local.get $group))))

        ;; One bit for each of the 16 items: 1 where it is found.
        (local.set $mask
          (i32.xor (i32.const 0xffff)
            (i32.or
              (i32.or
                (i32x4.bitmask (f32x4.lt (local.get $sum0) (local.get $limits)))
                (i32.shl (i32x4.bitmask (f32x4.lt (local.get $sum1) (local.get $limits))) (i32.const 4)))
              (i32.or
                (i32.shl (i32x4.bitmask (f32x4.lt (local.get $sum2) (local.get $limits))) (i32.const 8))
                (i32.shl (i32x4.bitmask (f32x4.lt (local.get $sum3) (local.get $limits))) (i32.const 12))))))
        (block $none
          (loop $bit
            (br_if $none (i32.eqz (local.get $mask)))
            (i32.store (local.get $to) (i32.add (local.get $index) (i32.ctz (local.get $mask))))
            (local.set $to (i32.add (local.get $to) (i32.const 4)))
            (local.set $mask (i32.and (local.get $mask) (i32.sub (local.get $mask) (i32.const 1))))
            (br $bit)))

        (local.set $items (i32.add (local.get $3) (local.get $group)))
        (local.set $index (i32.add (local.get $index) (i32.const 16)))
        (local.set $quads (i32.sub (local.get $quads) (i32.const 1)))
        (br $quad)))
    (i32.shr_u (i32.sub (local.get $to) (local.get $found)) (i32.const 2))))
