// Walks binary decision trees. Compiled to WebAssembly by build.sh; the TypeScript side lays the memory out.
//
// A node is 16 bytes. Children stand side by side (right = left + 1). A leaf points to itself and tests the extra last cell of
// a row, which holds -Infinity, so that walking on from a leaf stays there and the loop needs no test for leaves.

typedef unsigned int u32;

typedef struct {
  double value;            // threshold; leaf: the value, or the leaf's index where leaves are vectors; categorical: bitset index
  u32 left;
  unsigned short feature;
  unsigned short flags;    // 1 = a missing value goes left, 2 = categorical
} Node;

typedef struct {
  const Node *nodes;
  const u32 *roots;
  const u32 *targets;      // the output that a tree adds to
  const double *leaves;    // vectors of k values, or 0 where leaves are scalars
  const u32 *left_sets;    // 256 bits a categorical node
  const u32 *known_sets;   // 256 bits a feature
  u32 trees;
  u32 k;
  u32 stride;              // cells a row, the extra one included
} Forest;

static inline u32 step_plain(const Forest *f, u32 at, const double *row) {
  const Node *n = f->nodes + at;
  return n->left + !(row[n->feature] <= n->value);
}

static inline u32 step_missing(const Forest *f, u32 at, const double *row) {
  const Node *n = f->nodes + at;
  double x = row[n->feature];
  return n->left + (u32)((x > n->value) | ((x != x) & !(n->flags & 1)));
}

static inline u32 step_category(const Forest *f, u32 at, const double *row) {
  const Node *n = f->nodes + at;
  if (!(n->flags & 2)) return step_missing(f, at, row);
  double x = row[n->feature];
  u32 missing_right = !(n->flags & 1);
  if (!(x >= 0)) return n->left + missing_right;
  u32 category = x >= 2147483648.0 ? 0 : (u32)(int)x & 255;
  u32 word = category >> 5, bit = category & 31;
  if (f->left_sets[(u32)n->value * 8 + word] >> bit & 1) return n->left;
  if (f->known_sets[(u32)n->feature * 8 + word] >> bit & 1) return n->left + 1;
  return n->left + missing_right;
}

static inline void add(const Forest *f, u32 tree, u32 at, double *out) {
  double value = f->nodes[at].value;
  if (!f->leaves) {
    out[f->targets[tree]] += value;
    return;
  }
  const double *leaf = f->leaves + (u32)value * f->k;
#pragma clang loop unroll(disable)
  for (u32 c = 0; c < f->k; c++) out[c] += leaf[c];
}

// Eight rows at a time down one tree; what is left over goes one row at a time down eight trees. Every row adds its trees in order.
#define WALKER(name, step)                                                                             \
  static void name##_rows(const Forest *f, const double *rows, double *out) {                          \
    u32 s = f->stride;                                                                                 \
    for (u32 t = 0; t < f->trees; t++) {                                                               \
      u32 r = f->roots[t];                                                                             \
      u32 a = r, b = r, c = r, d = r, e = r, g = r, h = r, i = r, moved;                               \
      do {                                                                                             \
        u32 a1 = step(f, a, rows), b1 = step(f, b, rows + s), c1 = step(f, c, rows + 2 * s),           \
            d1 = step(f, d, rows + 3 * s), e1 = step(f, e, rows + 4 * s), g1 = step(f, g, rows + 5 * s), \
            h1 = step(f, h, rows + 6 * s), i1 = step(f, i, rows + 7 * s);                              \
        moved = (a ^ a1) | (b ^ b1) | (c ^ c1) | (d ^ d1) | (e ^ e1) | (g ^ g1) | (h ^ h1) | (i ^ i1); \
        a = a1, b = b1, c = c1, d = d1, e = e1, g = g1, h = h1, i = i1;                                \
      } while (moved);                                                                                 \
      u32 k = f->k;                                                                                    \
      add(f, t, a, out), add(f, t, b, out + k), add(f, t, c, out + 2 * k), add(f, t, d, out + 3 * k);  \
      add(f, t, e, out + 4 * k), add(f, t, g, out + 5 * k), add(f, t, h, out + 6 * k);                 \
      add(f, t, i, out + 7 * k);                                                                       \
    }                                                                                                  \
  }                                                                                                    \
  static void name##_row(const Forest *f, const double *row, double *out) {                            \
    u32 t = 0;                                                                                         \
    for (; t + 8 <= f->trees; t += 8) {                                                                \
      const u32 *r = f->roots + t;                                                                     \
      u32 a = r[0], b = r[1], c = r[2], d = r[3], e = r[4], g = r[5], h = r[6], i = r[7], moved;       \
      do {                                                                                             \
        u32 a1 = step(f, a, row), b1 = step(f, b, row), c1 = step(f, c, row), d1 = step(f, d, row),    \
            e1 = step(f, e, row), g1 = step(f, g, row), h1 = step(f, h, row), i1 = step(f, i, row);    \
        moved = (a ^ a1) | (b ^ b1) | (c ^ c1) | (d ^ d1) | (e ^ e1) | (g ^ g1) | (h ^ h1) | (i ^ i1); \
        a = a1, b = b1, c = c1, d = d1, e = e1, g = g1, h = h1, i = i1;                                \
      } while (moved);                                                                                 \
      add(f, t, a, out), add(f, t + 1, b, out), add(f, t + 2, c, out), add(f, t + 3, d, out);          \
      add(f, t + 4, e, out), add(f, t + 5, g, out), add(f, t + 6, h, out), add(f, t + 7, i, out);      \
    }                                                                                                  \
    for (; t < f->trees; t++) {                                                                        \
      u32 a = f->roots[t], b = a;                                                                      \
      while ((a = step(f, b, row)) != b) b = a;                                                        \
      add(f, t, a, out);                                                                               \
    }                                                                                                  \
  }                                                                                                    \
  __attribute__((export_name(#name))) void name(const Forest *f, const double *rows, u32 n, double *out) { \
    u32 i = 0;                                                                                         \
    for (; i + 8 <= n; i += 8) name##_rows(f, rows + i * f->stride, out + i * f->k);                   \
    for (; i < n; i++) name##_row(f, rows + i * f->stride, out + i * f->k);                            \
  }

WALKER(plain, step_plain)
WALKER(missing, step_missing)
WALKER(category, step_category)
