// Reads the one form of an inference request that most requests have, one row of numbers, straight from its bytes. Compiled to WebAssembly by build.sh.
//
//   {"inputs":[{"name":"a","shape":[1],"datatype":"FP64","data":[0.5]}, …]}        a column an input, in the expected order
//   {"inputs":[{"name":"features","shape":[1,20],"datatype":"FP64","data":[…]}]}   all columns in one input
//
// Everything else, valid or not, is not read at all: the caller has a parser for it. So this may refuse what it likes, and must never read what JSON.parse would
// read differently. Members beside the inputs are passed over loosely: the caller parses them, with the inputs cut out. The byte behind the body is 0, which no rule
// below takes.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

typedef struct {
  const u32 *name_ends;    // one a column, into `names`
  const u8 *names;         // each as JSON writes it, with its quotes
  const u8 *body;
  double *cells;
  u32 columns;
  u32 is_wide;             // set by `scan`: all columns came in one input
  u32 start;               // set by `scan`: where the list of inputs starts, counted from the start of the body
} Scan;

#define FAIL ((const u8 *)0)

static const u8 *skip(const u8 *p) {
  while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t') p++;
  return p;
}

/// Behind the text, and the white space before it.
static const u8 *past(const u8 *p, const char *text) {
  if (!p) return FAIL;
  p = skip(p);
  for (; *text; p++, text++)
    if (*p != (u8)*text) return FAIL;
  return p;
}

static const u8 *past_key(const u8 *p, const char *key) {
  p = past(past(p, key), ":");
  return p ? skip(p) : FAIL;
}

/// A text without escapes and of ASCII only.
static const u8 *past_text(const u8 *p) {
  if (!p || *p++ != '"') return FAIL;
  while (*p >= 0x20 && *p <= 0x7e && *p != '"' && *p != '\\') p++;
  return *p == '"' ? p + 1 : FAIL;
}

static const u8 *past_name(const Scan *s, const u8 *p, u32 column) {
  const u32 *ends = s->name_ends;
  const u8 *name = s->names + (column ? ends[column - 1] : 0), *end = s->names + ends[column];
  if (!p) return FAIL;
  for (; name < end; p++, name++)
    if (*p != *name) return FAIL;
  return p;
}

static const u64 FIVES[28] = {
  1ull, 5ull, 25ull, 125ull, 625ull, 3125ull, 15625ull, 78125ull, 390625ull, 1953125ull, 9765625ull, 48828125ull, 244140625ull,
  1220703125ull, 6103515625ull, 30517578125ull, 152587890625ull, 762939453125ull, 3814697265625ull, 19073486328125ull,
  95367431640625ull, 476837158203125ull, 2384185791015625ull, 11920928955078125ull, 59604644775390625ull,
  298023223876953125ull, 1490116119384765625ull, 7450580596923828125ull,
};

/// (high × 2^64) / d, where high < d and the top bit of d is set; what is left goes to `rest` (Hacker's Delight, divlu).
static u64 divide(u64 high, u64 d, u64 *rest) {
  u64 d1 = d >> 32, d0 = d & 0xffffffff;
  u64 q1 = high / d1, r = high - q1 * d1;
  while (q1 >> 32 || q1 * d0 > (r << 32)) {
    q1--;
    r += d1;
    if (r >> 32) break;
  }
  u64 middle = (high << 32) - q1 * d;
  u64 q0 = middle / d1;
  r = middle - q0 * d1;
  while (q0 >> 32 || q0 * d0 > (r << 32)) {
    q0--;
    r += d1;
    if (r >> 32) break;
  }
  *rest = (middle << 32) - q0 * d;
  return (q1 << 32) + q0;
}

typedef union {
  u64 bits;
  double value;
} Double;

/// w / 10^k for 0 < k < 28, rounded once to the nearest double, halves to even: 64 bits of the quotient and whether anything is left decide.
static double quotient(u64 w, int k) {
  int w_shift = __builtin_clzll(w), d_shift = __builtin_clzll(FIVES[k]);
  u64 rest;
  // Half of w, so that the quotient fits; the bit that this drops is 0 unless w has 64 bits, and then it is the caller's to refuse.
  u64 q = divide(w << w_shift >> 1, FIVES[k] << d_shift, &rest);
  int spare = 11 - __builtin_clzll(q);
  u64 kept = q >> spare, cut = q & ((1ull << spare) - 1), half = 1ull << (spare - 1);
  if (cut > half || (cut == half && (rest || kept & 1))) kept++;
  // kept × 2^(spare + d_shift - w_shift - 63 - k); a carry to 2^53 moves on into the exponent by itself.
  Double result;
  result.bits = ((u64)(spare + d_shift - w_shift - 63 - k + 1075) << 52) + (kept - (1ull << 52));
  return result.value;
}

static const double TENS[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define EXACT (1ull << 53)

/// A JSON number of at most 18 digits, as JSON.parse reads it.
static const u8 *past_number(const u8 *p, double *cell) {
  if (!p) return FAIL;
  int negative = *p == '-';
  if (negative) p++;
  const u8 *first = p;
  u64 w = 0;
  for (; *p >= '0' && *p <= '9'; p++) w = w * 10 + (*p - '0');
  int digits = (int)(p - first), exponent = 0;
  if (digits == 0 || (digits > 1 && *first == '0')) return FAIL;
  if (*p == '.') {
    const u8 *point = p++;
    for (; *p >= '0' && *p <= '9'; p++) w = w * 10 + (*p - '0');
    exponent = (int)(point + 1 - p);
    if (exponent == 0) return FAIL;
    // Zeros at the start do not count.
    digits -= exponent;
    for (const u8 *zero = first; digits > 0 && (*zero == '0' || *zero == '.'); zero++) digits -= *zero == '0';
  }
  if (digits > 18) return FAIL;
  if (*p == 'e' || *p == 'E') {
    p++;
    int below = *p == '-', power = 0;
    if (*p == '-' || *p == '+') p++;
    const u8 *start = p;
    for (; *p >= '0' && *p <= '9' && p < start + 3; p++) power = power * 10 + (*p - '0');
    if (p == start || (*p >= '0' && *p <= '9')) return FAIL;
    exponent += below ? -power : power;
  }
  double value;
  if (exponent == 0 || w == 0) value = (double)w;
  else if (w <= EXACT && exponent >= -22 && exponent <= 22)
    value = exponent < 0 ? (double)w / TENS[-exponent] : (double)w * TENS[exponent];
  else if (exponent < 0 && exponent > -28) value = quotient(w, -exponent);
  else return FAIL;
  *cell = negative ? -value : value;
  return p;
}

/// `[1]`, or `[1, columns]`.
static const u8 *past_shape(const u8 *p, u32 columns, u32 is_wide) {
  p = past(past(p, "["), "1");
  if (is_wide) {
    p = past(p, ",");
    if (!p) return FAIL;
    p = skip(p);
    u32 size = 0;
    if (*p == '0') return FAIL;
    for (int i = 0; i < 5 && *p >= '0' && *p <= '9'; i++, p++) size = size * 10 + (*p - '0');
    if (size != columns) return FAIL;
  }
  return past(p, "]");
}

static const double WHOLE_32 = 2147483648.0, WHOLE_64 = 9007199254740992.0;

/// Behind a datatype; 0 stands for floating-point in `limit`, else whole numbers are from -limit to limit - 1, or between them.
static const u8 *past_datatype(const u8 *p, double *limit) {
  const u8 *end;
  *limit = 0;
  if ((end = past(p, "\"FP64\"")) || (end = past(p, "\"FP32\""))) return end;
  *limit = WHOLE_64;
  if ((end = past(p, "\"INT64\""))) return end;
  *limit = WHOLE_32;
  return past(p, "\"INT32\"");
}

static int fits(double cell, double limit) {
  if (limit == 0 || cell != cell) return 1;
  return __builtin_floor(cell) == cell && cell < limit && (cell > -limit || (limit == WHOLE_32 && cell == -limit));
}

static const u8 *past_cell(const u8 *p, double *cell) {
  if (!p) return FAIL;
  p = skip(p);
  if (*p != 'n') return past_number(p, cell);
  *cell = __builtin_nan("");
  return past(p, "null");
}

static const u8 *past_input(const Scan *s, const u8 *p, u32 column, u32 width) {
  double limit;
  p = past_key(past(p, "{"), "\"name\"");
  p = s->is_wide ? past_text(p) : past_name(s, p, column);
  p = past_shape(past_key(past(p, ","), "\"shape\""), width, s->is_wide);
  p = past_datatype(past_key(past(p, ","), "\"datatype\""), &limit);
  p = past(past_key(past(p, ","), "\"data\""), "[");
  for (u32 i = 0; i < width && p; i++) {
    double *cell = s->cells + column + i;
    p = past_cell(i ? past(p, ",") : p, cell);
    if (p && !fits(*cell, limit)) return FAIL;
  }
  return past(past(p, "]"), "}");
}

/// Behind a member that is none of ours and its comma: whatever stands between, outside texts and brackets.
static const u8 *past_member(const u8 *p) {
  int depth = 0;
  for (p = skip(p); *p; p++) {
    if (*p == '"') {
      for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1]) p++;
      if (!*p) return FAIL;
    } else if (*p == '{' || *p == '[') depth++;
    else if (*p == '}' || *p == ']') depth--;
    else if (*p == ',' && depth == 0) return p + 1;
    if (depth < 0) return FAIL;
  }
  return FAIL;
}

/// Whether the first shape has two sizes: a comma before its end.
static u32 is_wide(const u8 *p) {
  while (*p && *p != '[') p++;
  while (*p && *p != ',' && *p != ']') p++;
  return *p == ',';
}

/// Where the list of inputs ends, counted from the start of the body, or 0: then nothing was read.
__attribute__((export_name("scan"))) u32 scan(Scan *s) {
  const u8 *p = past(s->body, "{"), *list = FAIL;
  while (p && !(list = past_key(p, "\"inputs\""))) p = past_member(p);
  p = past(list, "[");
  if (!p) return 0;
  s->start = (u32)(p - 1 - s->body);
  s->is_wide = is_wide(p);
  // One column in two dimensions goes by its name.
  if (s->is_wide && s->columns == 1) return 0;
  u32 inputs = s->is_wide ? 1 : s->columns, width = s->is_wide ? s->columns : 1;
  for (u32 i = 0; i < inputs && p; i++) p = past_input(s, i ? past(p, ",") : p, i, width);
  p = past(p, "]");
  return p ? (u32)(p - s->body) : 0;
}
