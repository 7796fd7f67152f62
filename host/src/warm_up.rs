//! What is done once in a process and must not be part of a measurement.

/// Loads what the first transaction that needs it would load: the trusted set-up of the KZG precompile (EIP-4844), which
/// takes a good part of a second. Call it before measuring.
pub fn warm_up() {
    let zero = [0; 32];
    let point = [0; 48];
    // The proof is not valid, but the set-up is loaded before that is found out.
    let _ = revm::precompile::kzg_point_evaluation::verify_kzg_proof(&point, &zero, &zero, &point);
}
