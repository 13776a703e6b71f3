//! Surprise: −ln p of what came, in nats per token.
//!
//! A model that gives probability p to the token that follows loses −ln p there; the mean over a text is its cross-entropy
//! loss, and exp of it the perplexity: the number of equally likely tokens that would surprise as much. Sums are in f64.

use crate::model::sampler::log_sum_exp;

/// The loss at each token but the first, from logits `[T, d_vocab]` of tokens `[T]`: entry t − 1 is −ln p(token t | tokens
/// before t), in nats. Empty where there are not T rows of logits or a token lies outside the vocabulary.
pub fn token_losses(logits: &[f32], d_vocab: usize, tokens: &[u32]) -> Vec<f64> {
    let fits = d_vocab * tokens.len() == logits.len() && tokens.iter().all(|id| (*id as usize) < d_vocab);
    if d_vocab == 0 || tokens.is_empty() || !fits {
        return Vec::new();
    }
    let rows = logits.chunks_exact(d_vocab);
    rows.zip(&tokens[1..]).map(|(row, next)| log_sum_exp(row) - f64::from(row[*next as usize])).collect()
}

/// The mean; `None` of nothing.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The standard error of the mean, √(Σ(x − x̄)² / (n − 1) / n): how far the mean of another sample of the same size would
/// typically lie from this one, if the values were independent. `None` below two values.
pub fn standard_error(values: &[f64]) -> Option<f64> {
    let (mean, n) = (mean(values)?, values.len() as f64);
    let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    (n > 1.0).then(|| (squares / (n - 1.0) / n).sqrt())
}

/// exp of a loss in nats.
pub fn perplexity(nats: f64) -> f64 {
    nats.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_by_hand() {
        // p = (1/2, 1/4, 1/4) at every place.
        let row = [2f32.ln(), 0.0, 0.0];
        let losses = token_losses(&row.repeat(3), 3, &[1, 0, 2]);
        assert_eq!(losses.len(), 2);
        assert!((losses[0] - 2f64.ln()).abs() < 1e-6 && (losses[1] - 4f64.ln()).abs() < 1e-6, "{losses:?}");
        assert!((perplexity(mean(&losses).unwrap()) - 8f64.sqrt()).abs() < 1e-5);
    }

    #[test]
    fn what_does_not_fit_has_no_loss() {
        assert!(token_losses(&[0.0; 4], 4, &[0, 1]).is_empty(), "one row for two tokens");
        assert!(token_losses(&[0.0; 4], 2, &[0, 2]).is_empty(), "a token outside");
        assert!(token_losses(&[], 0, &[]).is_empty() && token_losses(&[0.0, 1.0], 2, &[1]).is_empty());
        assert_eq!((mean(&[]), standard_error(&[1.0])), (None, None));
        assert!((standard_error(&[1.0, 3.0]).unwrap() - 1.0).abs() < 1e-12);
    }
}
