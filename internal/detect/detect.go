// Package detect judges accesses to patients' data: whether one is explained by care, what else speaks for or against it, and which
// people the privacy office should ask about what they did.
package detect
