import { Box, Text, useCursor } from "ink";
// @ts-types="@types/react"
import type { ReactNode } from "react";
import type { Frame } from "./frame.ts";
import type { Row, Style } from "./style.ts";

/** Without text, ink would give a row no height. */
const BLANK = " ";

/** Draws a frame with ink; without colours, what stands out still does. */
export function FrameView({ frame, hasColors }: {
  readonly frame: Frame;
  readonly hasColors: boolean;
}): ReactNode {
  const { setCursorPosition } = useCursor();
  const { row, column } = frame.cursor;
  setCursorPosition({ x: column, y: row });
  return (
    <Box flexDirection="column">
      {frame.rows.map((row, index) => <RowView key={index} row={row} hasColors={hasColors} />)}
    </Box>
  );
}

function RowView({ row, hasColors }: {
  readonly row: Row;
  readonly hasColors: boolean;
}): ReactNode {
  if (row.every(({ text }) => text === "")) return <Text>{BLANK}</Text>;
  return (
    <Text wrap="truncate">
      {row.map(({ text, style }, index) =>
        style === undefined ? text : <Text key={index} {...inkStyle(style, hasColors)}>{text}</Text>
      )}
    </Text>
  );
}

function inkStyle({ color, isBold, isFaint, isInverse }: Style, hasColors: boolean) {
  return {
    ...(color !== undefined && hasColors && { color }),
    ...(isBold && { bold: true }),
    ...(isFaint && { dimColor: true }),
    ...(isInverse && { inverse: true }),
  };
}
