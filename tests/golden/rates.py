"""Published intervals, with their sources."""

# (successes, trials, low, high) to four digits.
# Newcombe 1998, Statistics in Medicine 17:857, table I, method 3; the last by R's binom package.
WILSON = (
    (81, 263, 0.2553, 0.3662),
    (1, 29, 0.0061, 0.1718),
    (38, 38, 0.9082, 1.0),
)

# (x1, n1, x2, n2, low, high) to four digits.
# Newcombe 1998, Statistics in Medicine 17:873, table II, method 10.
NEWCOMBE = (
    (56, 70, 48, 80, 0.0524, 0.3339),
    (10, 10, 0, 10, 0.6075, 1.0),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (0, 10, 0, 10, -0.2775, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0),
)

# Hillstrom e-mail trial (64,000 customers), men's e-mail against none, in percentage points.
# (converted, sent, converted in control, control, difference, low, high, relative lift)
HILLSTROM_VISITS = (3894, 21307, 2262, 21306, 7.659, 6.9953, 8.3227)
HILLSTROM_CONVERSIONS = (267, 21307, 122, 21306, 0.6805, 0.5014, 0.8641)
HILLSTROM_RELATIVE = (1.1884, 1.768, 2.709)
HILLSTROM_INCREMENTAL = 144.99
HILLSTROM_ARMS = ((21307, 21387, 21306), 0.2025, 0.9037)

# Cohort size: active in months 1, 2, 3. Pooled month 1 is (60 + 56 + 30) / (100 + 80 + 50), month 2
# is (50 + 40) / (100 + 80): sums over the cohorts that reached the month, never a mean of rates.
COHORTS = {100: (60, 50, 45), 80: (56, 40), 50: (30,)}
POOLED = (0.6348, 0.5)
