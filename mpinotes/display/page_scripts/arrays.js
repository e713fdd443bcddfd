// Numbers as they come in a page: base64 of 16-bit integers or of half-precision numbers, little-endian.
function decodeWords(text) {
  const bytes = atob(text);
  const words = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < words.length; i++) words[i] = bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8);
  return words;
}

function decodeHalf(text) {
  return Float32Array.from(decodeWords(text), (word) => {
    const [sign, exponent, fraction] = [word >> 15 ? -1 : 1, (word >> 10) & 31, word & 1023];
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return exponent === 31 ? NaN : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}
